import type { ColorStatus } from "@bluegreen/release/releases/colorStatus";
import type { LastSwitch, ReleaseStatus } from "@bluegreen/release/releases/status";

/** Both colors run, and users have gone from blue to green. */
export function status(part: Partial<ReleaseStatus> = {}): ReleaseStatus {
  return {
    app: "chatgpt-app",
    namespace: "shop",
    cluster: null,
    live: "green",
    activeColor: "green",
    colors: [blue(), green()],
    schema: { version: "0002", pending: [] },
    lastSwitch: lastSwitch(),
    samples: [],
    observed: null,
    rollback: { possible: true, to: "blue" },
    blockedImages: [],
    ...part,
  };
}

/** Blue has all traffic, and there was no switch yet. */
export function onBlue(part: Partial<ReleaseStatus>): ReleaseStatus {
  return status({
    live: "blue",
    activeColor: "blue",
    colors: [],
    lastSwitch: null,
    rollback: { possible: true, to: "green" },
    ...part,
  });
}

export function blue(part: Partial<ColorStatus> = {}): ColorStatus {
  return {
    color: "blue",
    role: "standby",
    image: "registry:5000/app:v1",
    ready: 2,
    wanted: 2,
    weight: 0,
    changedImage: null,
    ...part,
  };
}

export function green(part: Partial<ColorStatus> = {}): ColorStatus {
  return {
    color: "green",
    role: "live",
    image: "registry:5000/app:v2",
    ready: 2,
    wanted: 2,
    weight: 100,
    changedImage: null,
    ...part,
  };
}

export function lastSwitch(part: Partial<LastSwitch> = {}): LastSwitch {
  const [from, to] = [
    { color: "blue" as const, image: "registry:5000/app:v1", template: "aaa" },
    { color: "green" as const, image: "registry:5000/app:v2", template: "bbb" },
  ];
  return {
    kind: "switch",
    weight: 100,
    to,
    from,
    who: "anna@laptop",
    why: "activeColor green in config",
    at: "2026-01-02T03:04:05.678Z",
    state: "kept",
    ...part,
  };
}
