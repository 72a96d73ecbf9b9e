import { aggregates, filterLimits } from "./entities.ts";
import { tokenize, type LexerOptions, type Token } from "./lexer.ts";
import { problemAt, shown, type Span } from "./problem.ts";

/** A filter as it is written: shape and places, nothing looked up yet. `check.ts` gives it meaning. */
export type Syntax =
  | { readonly kind: "and" | "or"; readonly terms: readonly Syntax[] }
  | { readonly kind: "not"; readonly term: Syntax }
  | ConditionSyntax;

export interface ConditionSyntax {
  readonly kind: "condition";
  readonly left: LeftSyntax;
  /** Canonical and in upper case: `NOT IN`, `IS NOT NULL`, `<=`; other words and signs as they stand. */
  readonly operator: string;
  /** As written, for what depends on upper and lower case. */
  readonly operatorToken: Token;
  /** None for IS NULL, one for a comparison, two for BETWEEN, any number for IN. */
  readonly values: readonly Token[];
  /** From the first to the last token. */
  readonly span: Span;
}

export interface LeftSyntax {
  readonly path: Token;
  /** The function around the path, in lower case. */
  readonly aggregate?: (typeof aggregates)[number];
}

const reserved = new Set(["AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "BETWEEN"]);

const operatorWords = new Set(["LIKE", "ILIKE", "IN", "NOT", "IS", "BETWEEN"]);

/**
 * Reads the shape of a filter. NOT binds closer than AND, AND closer than OR.
 *
 * MLflow ignores a missing, doubled, leading or trailing AND, so we do. That tolerance ends where our
 * additions begin: with OR, NOT or parentheses every AND must be in its place.
 * @returns undefined for a filter without conditions.
 * @throws PlatformError INVALID_PARAMETER_VALUE with the position of what is wrong.
 */
export function parseSyntax(text: string, options: LexerOptions = {}): Syntax | undefined {
  return new Parser(tokenize(text, options)).filter();
}

/** The word a token stands for, in upper case; undefined for anything that is not a plain word. */
function wordOf(token: Token): string | undefined {
  return token.kind === "name" && /^[a-z]+$/i.test(token.raw) ? token.raw.toUpperCase() : undefined;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #conditions = 0;
  #joinsFreely = false;
  /** The first AND that is missing or too many. */
  #looseJoin: { readonly token: Token; readonly sentence: string } | undefined;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  filter(): Syntax | undefined {
    if (this.#peek().kind === "end") {
      throw problemAt("filter", this.#peek(), "found nothing but space; leave the filter empty.");
    }
    const tree = this.#or();
    if (this.#peek().kind !== "end") throw this.#unexpected("AND, OR or the end");
    if (this.#joinsFreely && this.#looseJoin !== undefined) {
      throw problemAt("filter", this.#looseJoin.token, this.#looseJoin.sentence);
    }
    return tree;
  }

  #or(): Syntax | undefined {
    const first = this.#and();
    const terms = first === undefined ? [] : [first];
    while (this.#isWord("OR")) {
      this.#joinsFreely = true;
      if (terms.length === 0) throw this.#unexpected("a condition before OR");
      this.#next();
      const term = this.#and();
      if (term === undefined) throw this.#unexpected("a condition after OR");
      terms.push(term);
    }
    return terms.length > 1 ? { kind: "or", terms } : terms[0];
  }

  #and(): Syntax | undefined {
    const terms: Syntax[] = [];
    let joined = true;
    for (;;) {
      if (this.#isWord("AND")) {
        if (joined) this.#loosen("expected a condition, found AND.");
        joined = true;
        this.#next();
      } else if (this.#startsTerm()) {
        if (!joined) this.#loosen(`expected AND or OR, found ${this.#found()}.`);
        joined = false;
        terms.push(this.#not());
      } else {
        if (joined && terms.length > 0) this.#loosen(`expected a condition, found ${this.#found()}.`);
        return terms.length > 1 ? { kind: "and", terms } : terms[0];
      }
    }
  }

  #startsTerm(): boolean {
    const token = this.#peek();
    if (token.kind === "punctuation") return token.raw === "(";
    const word = wordOf(token);
    if (word !== undefined && reserved.has(word)) return word === "NOT";
    return token.kind === "name" || isDoubleQuoted(token);
  }

  #not(): Syntax {
    if (!this.#isWord("NOT")) return this.#primary();
    this.#joinsFreely = true;
    return this.#nested(() => {
      this.#next();
      return { kind: "not", term: this.#required() };
    });
  }

  #primary(): Syntax {
    if (this.#peek().raw !== "(") return this.#condition();
    this.#joinsFreely = true;
    return this.#nested(() => {
      this.#next();
      const inner = this.#or();
      if (inner === undefined) throw this.#unexpected("a condition");
      this.#expectSign(")", "AND, OR or )");
      return inner;
    });
  }

  #required(): Syntax {
    if (!this.#startsTerm()) throw this.#unexpected("a condition");
    return this.#not();
  }

  #nested(read: () => Syntax): Syntax {
    this.#depth++;
    if (this.#depth > filterLimits.nestingMax) {
      throw problemAt(
        "filter",
        this.#peek(),
        `more than ${filterLimits.nestingMax} levels of parentheses and NOT; write it flatter.`,
      );
    }
    const syntax = read();
    this.#depth--;
    return syntax;
  }

  #condition(): ConditionSyntax {
    const start = this.#peek();
    this.#conditions++;
    if (this.#conditions > filterLimits.conditionsMax) {
      throw problemAt(
        "filter",
        start,
        `more than ${filterLimits.conditionsMax} conditions; use IN or several searches.`,
      );
    }
    const left = this.#left();
    const { operator, token } = this.#operator();
    const values = this.#values(operator);
    const last = this.#tokens[this.#at - 1] ?? start;
    const span = {
      position: start.position,
      length: last.position + last.length - start.position,
    };
    return { kind: "condition", left, operator, operatorToken: token, values, span };
  }

  #left(): LeftSyntax {
    const path = this.#next();
    if (this.#peek().raw !== "(") return { path };
    const aggregate = aggregates.find((name) => name === path.raw.toLowerCase());
    if (aggregate === undefined) {
      throw problemAt(
        "filter",
        path,
        `found the function ${shown(path.raw)}; expected one of ${aggregates.join(", ")}.`,
      );
    }
    this.#next();
    if (this.#peek().kind !== "name") throw this.#unexpected("a metric such as metrics.loss");
    const inner = this.#next();
    this.#expectSign(")", ")");
    return { path: inner, aggregate };
  }

  #operator(): { readonly operator: string; readonly token: Token } {
    const token = this.#peek();
    const word = wordOf(token);
    if (token.kind === "operator") {
      this.#next();
      return { operator: token.raw, token };
    }
    if (word === undefined || !operatorWords.has(word)) {
      throw this.#unexpected("a comparison such as =, !=, LIKE or IN");
    }
    this.#next();
    if (word === "NOT") {
      const second = wordOf(this.#peek());
      if (second === "LIKE" || second === "ILIKE") {
        throw problemAt("filter", token, `found NOT ${second}; put NOT before the whole condition.`);
      }
      if (second !== "IN" && second !== "BETWEEN") throw this.#unexpected("IN or BETWEEN");
      this.#next();
      return { operator: `NOT ${second}`, token };
    }
    if (word === "IS") {
      const negated = this.#isWord("NOT");
      if (negated) this.#next();
      if (!this.#isWord("NULL")) throw this.#unexpected(negated ? "NULL" : "NULL or NOT NULL");
      this.#next();
      return { operator: negated ? "IS NOT NULL" : "IS NULL", token };
    }
    return { operator: word, token };
  }

  #values(operator: string): readonly Token[] {
    switch (operator) {
      case "IS NULL":
      case "IS NOT NULL":
        return [];
      case "IN":
      case "NOT IN":
        return this.#list();
      case "BETWEEN":
      case "NOT BETWEEN": {
        const low = this.#value();
        if (!this.#isWord("AND")) throw this.#unexpected("AND and the upper end of the range");
        this.#next();
        return [low, this.#value()];
      }
      default:
        return [this.#value()];
    }
  }

  #list(): readonly Token[] {
    this.#expectSign("(", "( and a list of values");
    const values: Token[] = [];
    while (this.#peek().raw !== ")") {
      values.push(this.#value());
      if (this.#peek().raw !== ",") break;
      this.#next();
    }
    this.#expectSign(")", values.length === 0 ? "a value" : ", or )");
    return values;
  }

  #value(): Token {
    const { kind } = this.#peek();
    const word = wordOf(this.#peek());
    const isReserved = word !== undefined && word !== "NULL" && reserved.has(word);
    if (isReserved || (kind !== "quoted" && kind !== "number" && kind !== "name")) {
      throw this.#unexpected("a value in quotes or a number");
    }
    return this.#next();
  }

  #expectSign(sign: string, expected: string): void {
    if (this.#peek().raw !== sign) throw this.#unexpected(expected);
    this.#next();
  }

  #loosen(sentence: string): void {
    this.#looseJoin ??= { token: this.#peek(), sentence };
  }

  #isWord(word: string): boolean {
    return wordOf(this.#peek()) === word;
  }

  #peek(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new RangeError("read past the end of the filter");
    return token;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #found(): string {
    const token = this.#peek();
    return token.kind === "end" ? "the end" : shown(token.raw);
  }

  #unexpected(expected: string) {
    return problemAt("filter", this.#peek(), `expected ${expected}, found ${this.#found()}.`);
  }
}

/** Whether a quoted piece can also be a name, as in `"run name" = 'x'`. */
export function isDoubleQuoted(token: Token): boolean {
  return token.kind === "quoted" && token.raw.startsWith('"');
}
