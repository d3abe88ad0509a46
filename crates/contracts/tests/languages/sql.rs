use super::play;

const SCHEMA: &str = r#"-- What the shop knows.
\connect shop
CREATE TABLE IF NOT EXISTS users (
    id bigserial PRIMARY KEY,
    email text NOT NULL UNIQUE,
    "nick name" varchar(40) DEFAULT '',
    price numeric(10, 2),
    CONSTRAINT named CHECK (email <> ''),
    FOREIGN KEY (id) REFERENCES others (id)
);

CREATE INDEX users_email ON users (email);

ALTER TABLE users ADD COLUMN phone text;

CREATE TYPE mood AS ENUM ('happy', 'sad');

CREATE OR REPLACE VIEW active AS
SELECT u.id, u.email AS mail, count(*) AS orders FROM users u WHERE u.active;

CREATE FUNCTION total(user_id bigint, since date) RETURNS numeric AS $$
BEGIN
    RETURN (SELECT sum(price) FROM orders); -- all of them
END;
$$ LANGUAGE plpgsql;
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "db/schema.sql",
        SCHEMA,
        &[
            (
                "    email text NOT NULL UNIQUE,",
                "    emails text[] NOT NULL,",
                &["users.email: text not null -> users.emails: text[] not null"],
            ),
            (
                "    email text NOT NULL UNIQUE,",
                "    mail text NOT NULL UNIQUE,",
                &["users.email -> users.mail"],
            ),
            (
                "    email text NOT NULL UNIQUE,\n",
                "",
                &["removed: users.email"],
            ),
            (
                "numeric(10, 2),",
                "integer,",
                &["users.price: numeric(10, 2) -> integer"],
            ),
            (
                "email text NOT NULL",
                "email text",
                &["users.email: text not null -> text"],
            ),
            ("\"nick name\"", "nick", &["users.nick name -> users.nick"]),
            (
                "ALTER TABLE users ADD COLUMN phone text;",
                "",
                &["removed: users.phone"],
            ),
            (
                "'happy', 'sad'",
                "'happy', 'grim'",
                &["mood.sad -> mood.grim"],
            ),
            ("AS mail", "AS address", &["active.mail -> active.address"]),
            (
                "total(user_id bigint, since date)",
                "total(user_id bigint)",
                &["total(user_id bigint, since date) -> total(user_id bigint)"],
            ),
            (
                "RETURNS numeric",
                "RETURNS integer",
                &["total() returns numeric -> integer"],
            ),
            (
                "CREATE TABLE IF NOT EXISTS users",
                "CREATE TABLE accounts",
                &["users -> accounts"],
            ),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "db/schema.sql",
        SCHEMA,
        &[
            ("-- What the shop knows.", "/* What the shop; (knew */", &[]),
            ("sum(price)", "avg(price)", &[]),
            (
                "    email text NOT NULL UNIQUE,",
                "    email TEXT not null,\n    age int,",
                &[],
            ),
            ("CREATE INDEX users_email ON users (email);", "", &[]),
            ("DEFAULT ''", "DEFAULT 'x'", &[]),
            ("WHERE u.active", "WHERE NOT u.gone", &[]),
            ("numeric(10, 2),", "numeric(10, 2", &[]),
        ],
    );
}
