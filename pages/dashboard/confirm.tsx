import type { Color } from "@bluegreen/release/app/color";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { JobKind } from "./state";

/** What is to be confirmed before it is done. */
export interface Question {
  kind: JobKind;
  to: Color;
  title: string;
  text: string;
  /** On the button that says yes. */
  confirm: string;
}

export interface ConfirmProps {
  question: Question;
  /** Gets the reason that was written; nothing when the answer is no. */
  closed: (why: string | undefined) => void;
}

/** Escape and the first button say no; the focus goes back to where it was. */
export function Confirm({ question, closed }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const why = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      aria-describedby="consequence"
      onClose={() => {
        closed(dialog.current?.returnValue === "yes" ? (why.current?.value ?? "") : undefined);
      }}
    >
      <form method="dialog">
        <h2 id="question">{question.title}</h2>
        <p id="consequence">{question.text}</p>
        <label>
          Why, for the history and for whoever wakes up next
          <input ref={why} type="text" maxLength={200} autocomplete="off" />
        </label>
        <div class="answers">
          <button type="button" autofocus onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" value="yes" class="yes">
            {question.confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
