import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/**
 * Fetches a URL with java.net.http: prints the body, then a line with status and HTTP version.
 *
 * <p>Usage: HttpClientGet URL PROXY_HOST PROXY_PORT
 */
final class HttpClientGet {
    public static void main(String[] args) throws InterruptedException {
        var proxy = new InetSocketAddress(args[1], Integer.parseInt(args[2]));
        var builder = HttpClient.newBuilder().proxy(ProxySelector.of(proxy));
        if (System.getProperty("ask.user") != null) {
            builder.authenticator(authenticator());
        }
        var client = builder.build();
        var request = HttpRequest.newBuilder(URI.create(args[0])).timeout(Duration.ofSeconds(20)).build();
        try {
            var answer = client.send(request, BodyHandlers.ofString());
            var version = switch (answer.version()) {
                case HTTP_1_1 -> "1.1";
                case HTTP_2 -> "2";
            };
            System.out.printf("%s%n%d %s%n", answer.body(), answer.statusCode(), version);
        } catch (java.io.IOException error) {
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
