import { describeRelease } from "../routes/support/release";

describeRelease("nginx");
