use super::play;

const SERVICE: &str = r#"package shop;

/** Who may come in. */
public class UserService extends Base implements Closeable {
    public static final int LIMIT = 5;
    private final Map<String, User> users = new HashMap<>();

    public UserService(Store store) { this.store = store; }

    /** Lets somebody in. */
    public User login(String name) throws Refused {
        return users.get(name);
    }

    protected static void forget(User user) { }

    void inPackage(int a) { }

    private int hidden(int a) { return a; }

    public enum Role { ADMIN, GUEST }

    public record Point(int x, int y) { }
}

interface Internal { void a(); }

public interface Keeper {
    void keep(User user);
    default int size() { return 0; }
}
"#;

#[test]
fn what_others_use_is_noticed() {
    play(
        "src/UserService.java",
        SERVICE,
        &[
            (
                "login(String name)",
                "login(String name, Otp otp)",
                &["UserService.login(String name) -> UserService.login(String name, Otp otp)"],
            ),
            (
                "public User login",
                "public Optional<User> login",
                &["UserService.login() returns User -> Optional<User>"],
            ),
            (
                "public User login",
                "private User login",
                &["removed: UserService.login()"],
            ),
            (
                "throws Refused",
                "throws Refused, Gone",
                &["UserService.login: throws Refused -> throws Refused, Gone"],
            ),
            (
                "UserService(Store store)",
                "UserService()",
                &["UserService.UserService(Store store) -> UserService.UserService()"],
            ),
            (
                "protected static void",
                "protected void",
                &["static UserService.forget(User user) -> UserService.forget(User user)"],
            ),
            (
                "{ ADMIN, GUEST }",
                "{ OWNER, GUEST }",
                &["Role.ADMIN -> Role.OWNER"],
            ),
            (
                "(int x, int y)",
                "(int x, long y)",
                &["Point.y: int -> long"],
            ),
            (
                "void keep(User user);",
                "void keep(User user, int days);",
                &["Keeper.keep(User user) -> Keeper.keep(User user, int days)"],
            ),
            (
                "public static final int LIMIT",
                "public static final long LIMIT",
                &["UserService.LIMIT: int -> long"],
            ),
        ],
    );
}

#[test]
fn bodies_comments_layout_and_additions_are_not() {
    play(
        "src/UserService.java",
        SERVICE,
        &[
            (
                "return users.get(name);",
                "return users.getOrDefault(name, null);",
                &[],
            ),
            ("/** Lets somebody in. */", "// Lets nobody in.", &[]),
            (
                "private int hidden(int a)",
                "private int hidden(long a)",
                &[],
            ),
            ("void inPackage(int a)", "void inPackage(long a)", &[]),
            (
                "login(String name)",
                "login(\n        String name // who\n    )",
                &[],
            ),
            ("login(String name)", "login(String who)", &[]),
            ("LIMIT = 5", "LIMIT = 6", &[]),
            (
                "interface Internal { void a(); }",
                "interface Internal { void b(); }",
                &[],
            ),
            (
                "    void keep(User user);",
                "    void keep(User user);\n    void drop(User user);",
                &[],
            ),
            (
                "public User login(String name)",
                "public User login(String name",
                &[],
            ),
        ],
    );
}
