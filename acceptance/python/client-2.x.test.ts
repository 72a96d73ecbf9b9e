import { describePythonClient } from "./scripts.ts";

describePythonClient("client-2.x");
