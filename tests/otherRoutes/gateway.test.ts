import { describeRelease } from "../routes/support/release";

describeRelease("gateway");
