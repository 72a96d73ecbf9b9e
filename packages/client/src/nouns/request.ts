import type { EndpointName, Endpoints, RequestOf } from "@millrace/contract";

/** The fields of an endpoint's request. */
export type Fields<N extends EndpointName> = RequestOf<Endpoints[N]>;
/** The same for a search: the client turns the pages. `maxResults` is the size of one page. */
export type SearchFields<N extends EndpointName> = Omit<Fields<N>, "pageToken">;
