import type { UseCase } from "../handler.ts";

/** What clients and the interface ask at start. `SqlStore` is the name clients know for "not a folder of files". */
export const getServerInfo: UseCase<"getServerInfo"> = async (ctx) => ({
  storeType: "SqlStore",
  workspacesEnabled: false,
  traceArchivalEnabled: false,
  multipartUploadsEnabled: ctx.settings.serveArtifacts && ctx.artifacts.supports.multipart,
  multipartDownloadsEnabled: ctx.settings.serveArtifacts && ctx.artifacts.supports.signedDownload,
  presignedUploadRunIdSupported: true,
  presignedUploadModelIdSupported: true,
  featuresEnabled: { gateway: false },
});
