/**
 * The policy pack: `pulumi preview --policy-pack policy`. For every program that releases an app in two
 * colors; docs/guides/policy-pack.md.
 */
import { PolicyPack } from "@pulumi/policy";
import { appPolicy, podPolicy } from "./policies";
import { bothColors } from "./rules/bothColors";
import { imageDigest } from "./rules/imageDigest";
import { imageTag } from "./rules/imageTag";
import { liveColor } from "./rules/liveColor";
import { podSecurity } from "./rules/podSecurity";
import { probes } from "./rules/probes";
import { resources } from "./rules/resources";

new PolicyPack("bluegreen", {
  enforcementLevel: "mandatory",
  policies: [
    podPolicy("image-tag", "An image has a tag of its own, and never latest.", imageTag),
    podPolicy("image-digest", "An image is pinned by its digest.", imageDigest, "advisory"),
    podPolicy("resources", "A container says what it needs, and what it may use.", resources),
    podPolicy("probes", "A container that serves says when it is ready, and when it is stuck.", probes),
    podPolicy(
      "pod-security",
      "A pod has no more rights than the restricted standard leaves it.",
      podSecurity,
    ),
    appPolicy("both-colors", "An app has both its colors.", bothColors),
    appPolicy("live-color", "Traffic goes to one color, which is there and has pods.", liveColor),
  ],
});
