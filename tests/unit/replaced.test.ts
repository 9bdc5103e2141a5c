import { expect } from "chai";
import {
  isReplaced,
  refuseReplaced,
  type FoundNamespace,
  type LastNamespace,
} from "@bluegreen/release/state/replaced";

const first = "9f8e7d6c-0000-4000-8000-000000000001";
const second = "1a2b3c4d-0000-4000-8000-000000000002";

describe("A namespace that has taken the place of the one that a stack was released to", () => {
  const last = (part: Partial<LastNamespace> = {}): LastNamespace => ({
    context: "prod",
    namespace: "shop",
    namespaceUid: first,
    ...part,
  });
  const found = (part: Partial<FoundNamespace> = {}): FoundNamespace => ({
    context: "prod",
    namespace: "shop",
    server: "https://10.0.0.1:6443",
    uid: second,
    ...part,
  });
  const said = (...pair: Parameters<typeof refuseReplaced>) => refuseReplaced(...pair)?.message;

  it("is refused with both uids, the cluster that was asked, and the way out", () => {
    expect(said(last(), found())).to.equal(
      "Namespace shop in the cluster of context prod (https://10.0.0.1:6443) is not the one that this stack was released to: its uid is 1a2b3c4d…, and that one's was 9f8e7d6c…\n" +
        "  why:  the cluster or the namespace was replaced, or the kubeconfig points to another cluster: what is in the state is not here\n" +
        "  next: kubectl config get-contexts; in the wrong cluster: pulumi config set context NAME; if it was replaced: pulumi up --refresh, which forgets what is gone, deletes nothing, and releases here again\n" +
        "  code: BG-NAMESPACE-REPLACED",
    );
  });

  it("is refused where there is none at all", () => {
    expect(said(last(), found({ uid: undefined }))).to.contain(
      "it is not there, and that one had the uid 9f8e7d6c…",
    );
  });

  it("is no other one where nothing says so", () => {
    for (const [why, known, now] of [
      ["the same", last(), found({ uid: first })],
      ["by another name of the cluster", last(), found({ uid: first, context: "prod-by-vpn" })],
      ["a state from before", last({ namespaceUid: undefined } as never), found()],
      ["nobody could read it then", last({ namespaceUid: "" }), found()],
      ["nobody may read it now", last(), undefined],
      ["config names another namespace", last({ namespace: "store" }), found()],
    ] as const) {
      expect(isReplaced(known, now), why).to.equal(false);
      expect(refuseReplaced(known, now), why).to.equal(undefined);
    }
  });

  it("by another context is not reached by a refresh, which asks by the old one: the new cluster takes its name", () => {
    expect(said(last(), found({ context: "it's new" })))
      .to.contain("back to where the app is: pulumi config set context prod;")
      .and.contain(
        String.raw`kubectl config delete-context prod; kubectl config rename-context 'it'\''s new' prod; pulumi config set context prod; pulumi up --refresh`,
      );
    expect(said(last({ context: "" }), found()))
      .to.contain("back to where the app is: pulumi config rm context;")
      .and.contain("kubectl config use-context prod; pulumi config rm context; pulumi up --refresh");
    expect(said(last(), found({ context: "" }))).to.contain("in the cluster of the current context (");
  });
});
