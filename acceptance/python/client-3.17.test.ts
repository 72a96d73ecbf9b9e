import { describePythonClient, describeWebhookDelivery } from "./scripts.ts";

describePythonClient("client-3.17");
describeWebhookDelivery("client-3.17");
