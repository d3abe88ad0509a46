use super::{names, play};

const SCHEMA: &str = r#"// What the shop knows.
import { z } from "zod";

export interface User {
  id: number;
  email: string;
  nick?: string;
  rename(to: string): void;
}

export type Status = "open" | "paid";

export type Order<T> = {
  status: Status;
  items: T[];
};

export enum Role { Admin, Guest = "guest" }

export class Cart extends Base {
  total: number = 0;
  private seen = new Set<string>();
  #hidden = 1;

  constructor(private readonly user: User) { super(); }

  add(item: string, count = 1): this {
    this.total += count;
    return this;
  }

  private forget(): void {}

  static of(user: User): Cart { return new Cart(user); }

  get size(): number { return this.seen.size; }
}

export async function login(name: string): Promise<User> {
  return await find(name);
}

export const logout = (user: User): void => {
  console.log(user);
};

export const userSchema = z.object({
  email: z.string().email(),
  age: z.number(),
}).strict();

export const LIMIT = 5;

const helper = (a: number) => a;
function inner(a: string): string { return a; }

export { inner as outer };
export default Cart;
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "src/schema.ts",
        SCHEMA,
        &[
            (
                "  email: string;",
                "  emails: string[];",
                &["User.email -> User.emails[]"],
            ),
            (
                "  email: string;",
                "  email: string | null;",
                &["User.email: string -> string | null"],
            ),
            (
                "  nick?: string;",
                "  nick: string;",
                &["User.nick? -> User.nick"],
            ),
            ("  id: number;\n", "", &["removed: User.id"]),
            (
                "export async function login(name: string)",
                "export async function login(name: string, otp: string)",
                &["login(name: string) -> login(name: string, otp: string)"],
            ),
            (
                "Promise<User>",
                "Promise<User | null>",
                &["login() returns Promise<User> -> Promise<User | null>"],
            ),
            (
                "export const logout = (user: User): void",
                "export const logout = (user: User, all: boolean): void",
                &["logout(user: User) -> logout(user: User, all: boolean)"],
            ),
            (
                "\"open\" | \"paid\"",
                "\"open\" | \"done\"",
                &["Status: \"open\" | \"paid\" -> \"open\" | \"done\""],
            ),
            (
                "  items: T[];",
                "  items: Set<T>;",
                &["Order.items: T[] -> Set<T>"],
            ),
            (
                "Role { Admin, Guest",
                "Role { Owner, Guest",
                &["Role.Admin -> Role.Owner"],
            ),
            (
                "extends Base",
                "extends Other",
                &["Cart: extends Base -> extends Other"],
            ),
            (
                "add(item: string, count = 1)",
                "add(item: string)",
                &["Cart.add(item: string, count = 1) -> Cart.add(item: string)"],
            ),
            (
                "  static of(",
                "  of(",
                &["static Cart.of(user: User) -> Cart.of(user: User)"],
            ),
            ("  age: z.number(),\n", "", &["removed: userSchema.age"]),
            (
                "  age: z.number(),",
                "  age: z.string(),",
                &["userSchema.age: z.number() -> z.string()"],
            ),
            (
                "function inner(a: string)",
                "function inner(a: number)",
                &["outer(a: string) -> outer(a: number)"],
            ),
            ("export const LIMIT = 5;", "", &["removed: const LIMIT"]),
            (
                "export { inner as outer };",
                "",
                &["removed: function outer"],
            ),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "src/schema.ts",
        SCHEMA,
        &[
            (
                "    this.total += count;",
                "    this.total = this.total + count;",
                &[],
            ),
            (
                "// What the shop knows.",
                "/* What the shop\n knows now. */",
                &[],
            ),
            (
                "export async function login(name: string)",
                "export async function login(\n  name: string, // theirs\n)",
                &[],
            ),
            ("\"open\" | \"paid\"", "'open' | 'paid'", &[]),
            ("  email: string;", "  email: string\n  phone?: string", &[]),
            (
                "  return await find(name);",
                "  const it = find(name);\n  return it;",
                &[],
            ),
            (
                "  private forget(): void {}",
                "  private forget(all: boolean): void {}",
                &[],
            ),
            (
                "const helper = (a: number) => a;",
                "const helper = (b: string) => b;",
                &[],
            ),
            ("LIMIT = 5", "LIMIT = 6", &[]),
            (
                "async function login(name: string)",
                "async function login(who: string)",
                &[],
            ),
            ("  #hidden = 1;\n", "", &[]),
        ],
    );
}

#[test]
fn a_text_in_the_middle_of_an_edit_says_nothing() {
    play(
        "src/schema.ts",
        SCHEMA,
        &[(
            "  id: number;\n  email: string;",
            "  id: number;\n  email: {",
            &[],
        )],
    );
}

#[test]
fn declarations_without_bodies_are_exports_too() {
    play(
        "index.d.ts",
        "export declare function hook(token: string): void;\nexport declare const VERSION = \"1\";\ndeclare module \"x\" {\n  export function open(path: string): number;\n}\n",
        &[
            (
                "hook(token: string)",
                "hook(token: Token)",
                &["hook(token: string) -> hook(token: Token)"],
            ),
            (
                "open(path: string): number",
                "open(path: string): File",
                &["x.open() returns number -> File"],
            ),
            ("\"1\"", "\"2\"", &[]),
        ],
    );
}

#[test]
fn components_are_read_as_what_they_are() {
    let button = "import React from 'react';\n\
        type Props = { label: string };\n\
        export function Button({ label }: Props) { return <b>{label}</b>; }\n\
        export default function Page(props: Props) { return <Button label=\"a\" />; }\n";
    play(
        "Button.tsx",
        button,
        &[
            ("<b>{label}</b>", "<i>{label}</i>", &[]),
            (
                "Button({ label }: Props)",
                "Button({ label, kind }: Props)",
                &["Button({ label }: Props) -> Button({ label, kind }: Props)"],
            ),
        ],
    );
}

#[test]
fn the_names_are_those_that_mean_something_else_now() {
    let changed = SCHEMA.replace("  email: string;", "  emails: string[];");
    assert_eq!(names("schema.ts", SCHEMA, &changed), ["User.email"]);
}
