/** Work on a database as a whole, which no endpoint offers: the command line calls it. */
export { servingAddress } from "../../db/operation/holder.ts";
