/** How a long fit outlives the machine that it runs on: what it has is kept, piece by piece or as the state that it is in, and the next attempt goes on from there. */
import { deserialize, serialize } from 'node:v8';

/** Where the pieces of one fit are kept. */
export interface Checkpoint {
  /** Those that former attempts have kept, in their order. */
  load(): Promise<Uint8Array[]>;
  /** Whether it is time to keep more. Asked between pieces. */
  isDue(): boolean;
  /** @param instead of all that was kept before, which is of no more use */
  append(pieces: Uint8Array, instead?: boolean): Promise<void>;
  /** Nothing more will be kept. */
  close(): void;
}

interface Kept<T> {
  of: string;
  pieces: T[];
}

/** Pieces (trees, rounds of them) of a fit, each of which follows from those before it. */
export class Pieces<T> {
  private readonly checkpoint: Checkpoint | undefined;
  private readonly of: string;
  private readonly known: T[];
  private fresh: T[] = [];

  private constructor(checkpoint: Checkpoint | undefined, of: string, known: T[]) {
    this.checkpoint = checkpoint;
    this.of = of;
    this.known = known;
  }

  /** @param of all that the pieces follow from: those of another fit are passed over */
  static async open<T>(checkpoint: Checkpoint | undefined, of: unknown): Promise<Pieces<T>> {
    const words = JSON.stringify(of);
    const kept = ((await checkpoint?.load()) ?? []).map((bytes) => deserialize(bytes) as Kept<T>);
    return new Pieces(
      checkpoint,
      words,
      kept.filter((each) => each.of === words).flatMap(({ pieces }) => pieces),
    );
  }

  /** How many former attempts have made. */
  get count(): number {
    return this.known.length;
  }

  /** The piece of that place that a former attempt has made; undefined where it is to be made now. */
  at(place: number): T | undefined {
    return this.known[place];
  }

  /** Adds pieces that were made now, and keeps what there is where it is time. */
  async add(...made: T[]): Promise<void> {
    if (!this.checkpoint) return;
    this.fresh.push(...made);
    if (!this.checkpoint.isDue()) return;
    const kept: Kept<T> = { of: this.of, pieces: this.fresh };
    this.fresh = [];
    await this.checkpoint.append(serialize(kept));
  }

  close(): void {
    this.checkpoint?.close();
  }
}

/** The state of a fit that is not made of pieces: all that its next step depends on. */
export class Latest<T> {
  /** What the last of former attempts has come to. */
  readonly state: T | undefined;
  private readonly checkpoint: Checkpoint | undefined;
  private readonly of: string;

  private constructor(checkpoint: Checkpoint | undefined, of: string, state: T | undefined) {
    this.checkpoint = checkpoint;
    this.of = of;
    this.state = state;
  }

  /** @param of all that the states follow from: that of another fit is passed over */
  static async open<T>(checkpoint: Checkpoint | undefined, of: unknown): Promise<Latest<T>> {
    const words = JSON.stringify(of);
    const last = (await checkpoint?.load())?.at(-1);
    const kept = last && (deserialize(last) as Kept<T>);
    return new Latest(checkpoint, words, kept?.of === words ? kept.pieces[0] : undefined);
  }

  /** Keeps the state in place of the one before, where it is time. */
  async keep(state: () => T): Promise<void> {
    if (!this.checkpoint?.isDue()) return;
    const kept: Kept<T> = { of: this.of, pieces: [state()] };
    await this.checkpoint.append(serialize(kept), true);
  }

  close(): void {
    this.checkpoint?.close();
  }
}
