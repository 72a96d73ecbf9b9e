/** Apart from the rest of this folder: every command asks it, and few need more. */
export { servingAddress } from "../../db/operation/holder.ts";
