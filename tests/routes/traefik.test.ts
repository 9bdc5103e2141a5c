import { describeRelease } from "./support/release";

describeRelease("traefik");
