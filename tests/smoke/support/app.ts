/**
 * Everything the suite knows about the app under test. Bring your own app: change this file and the tests
 * beside it.
 */

export const PATHS = {
  health: "/health",
  ready: "/ready",
  metrics: "/metrics",
  mcp: "/mcp",
  widget: "/widget",
  stream: "/stream?period=100",
  user: (id: string) => `/api/users/${encodeURIComponent(id)}`,
} as const;

export const HEADERS = { color: "x-app-color", version: "x-app-version" } as const;

export const TOOL = "get_user_info";

/** A user to look up. The suite writes nothing, so whether there is one depends on the environment. */
export const USER_ID = process.env["SMOKE_USER_ID"] ?? "test-user-123";

/** An id that nobody has. */
export const UNKNOWN_USER_ID = "smoke-nobody-has-this-id";

/** The histogram of request durations, and how it names the route of `PATHS.health`. */
export const HISTOGRAM = { name: "http_request_duration_seconds", healthRoute: 'route="/health"' } as const;

/** The liveness check has to answer within this time, as the median of several requests. */
export const HEALTH_LIMIT_MS = 1000;
