import java.io.IOException;
import java.net.Authenticator;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * Fetches a URL with HttpURLConnection: prints the body, then a line with status and HTTP version.
 *
 * <p>Usage: UrlConnectionGet URL PROXY_HOST PROXY_PORT
 */
final class UrlConnectionGet {
    public static void main(String[] args) {
        var proxy = new Proxy(Proxy.Type.HTTP, new InetSocketAddress(args[1], Integer.parseInt(args[2])));
        Authenticator.setDefault(authenticator());
        try {
            var connection = (HttpURLConnection) URI.create(args[0]).toURL().openConnection(proxy);
            connection.setConnectTimeout(20_000);
            connection.setReadTimeout(20_000);
            try (var body = connection.getInputStream()) {
                var text = new String(body.readAllBytes(), StandardCharsets.UTF_8);
                // This class speaks HTTP/1.1 and nothing newer.
                System.out.printf("%s%n%d 1.1%n", text, connection.getResponseCode());
            }
        } catch (IOException error) {
            System.err.println(error);
            System.exit(1);
        }
    }

    /** Answers challenges where the properties ask.user and ask.password are set. */
    private static Authenticator authenticator() {
        var credentials = new PasswordAuthentication(System.getProperty("ask.user", ""), System.getProperty("ask.password", "").toCharArray());
        return new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                return System.getProperty("ask.user") == null ? null : credentials;
            }
        };
    }
}
