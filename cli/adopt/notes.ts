/** What became of a field of a manifest. */
export interface Note {
  /** Kind and name of the object. */
  object: string;
  field: string;
  why: string;
}

/** All that has to be said of an adoption. */
export interface Notes {
  /** In the stack's config or the pod template, as it was. */
  carried: Note[];
  /** Made where the manifests say nothing, and a release needs something. */
  made: Note[];
  /** Other than it was: somebody has to agree. */
  changed: Note[];
  /** Not taken: it stays as it is in the cluster, or has no meaning here. */
  left: Note[];
  /** What two colors side by side would break. */
  refused: Note[];
}

/** Told of one object. */
export function notesOf(notes: Notes, object: string) {
  const add = (list: Note[]) => (field: string, why: string) => {
    list.push({ object, field, why });
  };
  return {
    carried: add(notes.carried),
    made: add(notes.made),
    changed: add(notes.changed),
    left: add(notes.left),
    refused: add(notes.refused),
  };
}

export type Tell = ReturnType<typeof notesOf>;
