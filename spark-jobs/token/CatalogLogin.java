package offstream;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.iceberg.rest.RESTClient;
import org.apache.iceberg.rest.auth.OAuth2Manager;
import org.apache.iceberg.rest.auth.OAuth2Util;
import org.apache.iceberg.rest.auth.TLSConfigurer;

/**
 * Adds the secret in a file to the settings of Iceberg's REST client. A secret in the settings of the catalog itself would be
 * visible: SQL clients and the code of any job can print them.
 */
public class CatalogLogin extends OAuth2Manager {
    public CatalogLogin(String catalog) {
        super(catalog);
    }

    public OAuth2Util.AuthSession initSession(RESTClient client, Map settings) {
        return super.initSession(client, withSecret(settings));
    }

    public OAuth2Util.AuthSession catalogSession(RESTClient client, Map settings) {
        return super.catalogSession(client, withSecret(settings));
    }

    /** Adds `token`, or `credential`, which is a user and a password with a colon. Without the file, the client sends neither. */
    private static Map withSecret(Map settings) {
        File file = new File((String) settings.get("offstream.login-file"));
        if (!file.exists()) return settings;
        Map changed = new HashMap(settings);
        try {
            String secret = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
            changed.put(settings.get("offstream.login-kind"), secret);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return changed;
    }

    /** Trusts the certificate authorities of a PEM file. */
    public static class Authority implements TLSConfigurer {
        private SSLContext context;

        public Authority() {}

        public void initialize(Map settings) {
            try {
                context = SSLContext.getInstance("TLS");
                context.init(null, trusted((String) settings.get("offstream.ca-file")).getTrustManagers(), null);
            } catch (Exception error) {
                throw new IllegalArgumentException("the file of lake.catalog.tls.caFile cannot be used: " + error, error);
            }
        }

        public SSLContext sslContext() {
            return context;
        }

        private static TrustManagerFactory trusted(String file) throws IOException, GeneralSecurityException {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            InputStream input = new FileInputStream(file);
            try {
                Iterator found = CertificateFactory.getInstance("X.509").generateCertificates(input).iterator();
                for (int number = 0; found.hasNext(); number++)
                    store.setCertificateEntry("authority-" + number, (Certificate) found.next());
            } finally {
                input.close();
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory;
        }
    }
}
