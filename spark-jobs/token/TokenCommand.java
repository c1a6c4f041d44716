package offstream;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/**
 * Gives Kafka's client the token that a command prints. The client requests a new one before the old one expires. Kafka's
 * own class for this reads a file only once, so it would return an expired token.
 */
public class TokenCommand implements AuthenticateCallbackHandler {
    private static final long TIMEOUT_SECONDS = 30;

    /** The environment of the command, as offstream itself runs it. */
    private static final List VARIABLES =
        Arrays.asList(new Object[] {"PATH", "HOME", "USER", "LOGNAME", "TZ", "LC_ALL"});

    private Map options;

    public void configure(Map settings, String mechanism, List logins) {
        options = ((AppConfigurationEntry) logins.get(0)).getOptions();
    }

    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (int index = 0; index < callbacks.length; index++) {
            // The client also requests extensions, and continues without them.
            if (!(callbacks[index] instanceof OAuthBearerTokenCallback))
                throw new UnsupportedCallbackException(callbacks[index]);
            OAuthBearerTokenCallback callback = (OAuthBearerTokenCallback) callbacks[index];
            try {
                callback.token(tokenOf(output()));
            } catch (Exception error) {
                // The client interrupts its thread to close.
                if (error instanceof InterruptedException) Thread.currentThread().interrupt();
                // The client logs this text. To replace a token, it tries again after ten seconds.
                String text = "the command `" + options.get("argument0") + "` of sasl.tokenCommand failed: ";
                callback.error("TOKEN_FAILED", text + error.getMessage(), null);
            }
        }
    }

    public void close() {}

    private String output() throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command());
        builder.directory(new File((String) options.get("directory")));
        builder.environment().keySet().retainAll(VARIABLES);
        // Only the exit status is reported: the messages may contain secrets.
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        Process process = builder.start();
        process.getOutputStream().close();
        InputStream output = process.getInputStream();
        try {
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS))
                throw new IOException("it did not exit within " + TIMEOUT_SECONDS + " s");
            if (process.exitValue() != 0) throw new IOException("exit status " + process.exitValue());
            return new String(output.readAllBytes(), StandardCharsets.US_ASCII).trim();
        } finally {
            kill(process);
        }
    }

    /** Kills a process, if it is running, and those that it has started. */
    public static void kill(Process process) {
        Iterator children = process.descendants().iterator();
        while (children.hasNext()) ((ProcessHandle) children.next()).destroyForcibly();
        process.destroyForcibly();
    }

    private List command() {
        List command = new ArrayList();
        for (int index = 0; options.containsKey("argument" + index); index++)
            command.add(options.get("argument" + index));
        return command;
    }

    private static OAuthBearerToken tokenOf(String text) throws IOException {
        Map claims;
        try {
            byte[] json = Base64.getUrlDecoder().decode(text.split("\\.", -1)[1]);
            claims = (Map) new ObjectMapper().readValue(json, Map.class);
        } catch (Exception error) {
            // Not the cause: its message may contain a part of the token.
            throw new IOException("it did not print a JWT");
        }
        if (!(claims.get("exp") instanceof Number)) throw new IOException("its token does not have an `exp`");
        long expiresMs = (long) (((Number) claims.get("exp")).doubleValue() * 1000);
        if (expiresMs <= System.currentTimeMillis())
            throw new IOException("its token expired at " + Instant.ofEpochMilli(expiresMs));
        return new Token(text, expiresMs, String.valueOf(claims.get("sub")));
    }

    private static class Token implements OAuthBearerToken {
        private final String value;
        private final long expiresMs;
        private final String subject;

        Token(String value, long expiresMs, String subject) {
            this.value = value;
            this.expiresMs = expiresMs;
            this.subject = subject;
        }

        public String value() {
            return value;
        }

        public Set scope() {
            return Collections.EMPTY_SET;
        }

        public long lifetimeMs() {
            return expiresMs;
        }

        public String principalName() {
            return subject;
        }

        /** Unknown: the client then counts from now. */
        public Long startTimeMs() {
            return null;
        }
    }
}
