/** Starts Trino's server: `trino-server-main` is nothing more than this. */
public final class TrinoMain {
    public static void main(String[] arguments) {
        new io.trino.server.Server().start("435");
    }
}
