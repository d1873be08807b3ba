/** Error codes of Agentic Resource Discovery by status. Every other status below 500 is an invalid argument. */
const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'NOT_IMPLEMENTED',
  500: 'INTERNAL_ERROR',
  501: 'NOT_IMPLEMENTED',
  503: 'UNAVAILABLE',
};

/** Returns the body of an error response of Agentic Resource Discovery. */
export function toArdProblem(
  status: number,
  message: string,
): { readonly errorCode: string; readonly message: string } {
  return { errorCode: CODES[status] ?? 'INVALID_ARGUMENT', message };
}
