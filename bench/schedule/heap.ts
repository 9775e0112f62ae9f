/** A binary heap: the least comes first; of equals, the one that was pushed first. */
export class Heap<T> {
  private readonly items: { item: T; order: number }[] = [];
  private readonly compare: (a: T, b: T) => number;
  private pushed = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.compare = compare;
  }

  push(item: T): void {
    const { items } = this;
    items.push({ item, order: this.pushed++ });
    let at = items.length - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.before(at, above)) break;
      this.swap(at, above);
      at = above;
    }
  }

  pop(): T | undefined {
    const { items } = this;
    if (items.length === 0) return undefined;
    this.swap(0, items.length - 1);
    const { item } = items.pop()!;
    let at = 0;
    for (;;) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2]) if (below < items.length && this.before(below, least)) least = below;
      if (least === at) return item;
      this.swap(at, least);
      at = least;
    }
  }

  private before(a: number, b: number): boolean {
    const [x, y] = [this.items[a]!, this.items[b]!];
    return (this.compare(x.item, y.item) || x.order - y.order) < 0;
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b]!, this.items[a]!];
  }
}
