import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Fetches a URL with the proxy of the system properties, which is what a client has that sets none of its own. */
class SystemProxyGet {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        var answer = client.send(HttpRequest.newBuilder(URI.create(args[0])).build(), BodyHandlers.ofString());
        System.out.println(answer.body());
    }
}
