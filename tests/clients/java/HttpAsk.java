import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Makes the requests of a file with the class named, one after the other, through a proxy.
 *
 * <p>{@code exchanges.py} says what a line of ASKS holds and what is printed for each.
 *
 * <p>Usage: HttpAsk httpclient|urlconnection ASKS PROXY_HOST PROXY_PORT
 */
final class HttpAsk {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private record Ask(String method, URI url, byte[] body, boolean announced, List<String[]> headers) {}

    public static void main(String[] args) throws GeneralSecurityException, InterruptedException {
        var proxy = new InetSocketAddress(args[2], Integer.parseInt(args[3]));
        try {
            var asks = read(Path.of(args[1]));
            if (args[0].equals("httpclient")) {
                withHttpClient(asks, proxy);
            } else {
                withUrlConnection(asks, proxy);
            }
        } catch (IOException error) {
            System.err.println(error);
            System.exit(1);
        }
    }

    private static List<Ask> read(Path file) throws IOException {
        var asks = new ArrayList<Ask>();
        for (var line : Files.readAllLines(file)) {
            var column = line.split("\t");
            var headers = new ArrayList<String[]>();
            for (int at = 4; at < column.length; at++) {
                headers.add(column[at].split(": ", 2));
            }
            var body = column[2].equals("-") ? null : Files.readAllBytes(Path.of(column[2]));
            asks.add(new Ask(column[0], URI.create(column[1]), body, column[3].equals("announced"), headers));
        }
        return asks;
    }

    private static void tell(int status, String version, Map<String, List<String>> headers, byte[] body)
            throws GeneralSecurityException {
        System.out.printf("< %d %s%n", status, version);
        headers.forEach((name, values) -> {
            // HttpURLConnection keeps the status line under no name at all.
            if (name != null) {
                values.forEach(value -> System.out.printf("%s: %s%n", name, value));
            }
        });
        var digest = MessageDigest.getInstance("SHA-256").digest(body);
        System.out.printf("= %d %s%n", body.length, HexFormat.of().formatHex(digest));
    }

    private static void withHttpClient(List<Ask> asks, InetSocketAddress proxy)
            throws IOException, InterruptedException, GeneralSecurityException {
        var client = HttpClient.newBuilder().proxy(ProxySelector.of(proxy)).build();
        for (var ask : asks) {
            var request = HttpRequest.newBuilder(ask.url).timeout(PATIENCE).method(ask.method, publisher(ask));
            ask.headers.forEach(header -> request.header(header[0], header[1]));
            var answer = client.send(request.build(), BodyHandlers.ofByteArray());
            var version = answer.version() == HttpClient.Version.HTTP_2 ? "2" : "1.1";
            tell(answer.statusCode(), version, answer.headers().map(), answer.body());
        }
    }

    private static BodyPublisher publisher(Ask ask) {
        if (ask.body == null) {
            return BodyPublishers.noBody();
        }
        var whole = BodyPublishers.ofByteArray(ask.body);
        return ask.announced ? whole : BodyPublishers.fromPublisher(whole);
    }

    private static void withUrlConnection(List<Ask> asks, InetSocketAddress proxy)
            throws IOException, GeneralSecurityException {
        for (var ask : asks) {
            var connection = (HttpURLConnection) ask.url.toURL().openConnection(new Proxy(Proxy.Type.HTTP, proxy));
            connection.setReadTimeout((int) PATIENCE.toMillis());
            connection.setRequestMethod(ask.method);
            ask.headers.forEach(header -> connection.setRequestProperty(header[0], header[1]));
            if (ask.body != null) {
                send(connection, ask);
            }
            int status = connection.getResponseCode();
            try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
                // This class speaks HTTP/1.1 and nothing newer.
                tell(status, "1.1", connection.getHeaderFields(), readAll(body));
            }
        }
    }

    private static void send(HttpURLConnection connection, Ask ask) throws IOException {
        connection.setDoOutput(true);
        if (ask.announced) {
            connection.setFixedLengthStreamingMode(ask.body.length);
        } else {
            connection.setChunkedStreamingMode(0);
        }
        try (var out = connection.getOutputStream()) {
            out.write(ask.body);
        }
    }

    private static byte[] readAll(InputStream body) throws IOException {
        return body == null ? new byte[0] : body.readAllBytes();
    }
}
