package offstream;

import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The key store of the Thrift server, made of PEM: Java's TLS reads no PEM files. */
public class ThriftKeyStore {
    private static final Pattern PART = Pattern.compile("-----BEGIN ([A-Z ]+)-----([^-]+)-----END");

    private final KeyStore keys;

    /** `pem` has a private key in PKCS #8, and its certificate followed by its chain. */
    public ThriftKeyStore(String pem, String password) throws GeneralSecurityException, IOException {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        List chain = new ArrayList();
        for (Object der : parts(pem, "CERTIFICATE"))
            chain.add(factory.generateCertificate(new ByteArrayInputStream((byte[]) der)));
        Certificate[] certificates = (Certificate[]) chain.toArray(new Certificate[0]);
        KeyFactory ofKey = KeyFactory.getInstance(certificates[0].getPublicKey().getAlgorithm());
        byte[] der = (byte[]) parts(pem, "PRIVATE KEY").get(0);
        PrivateKey key = ofKey.generatePrivate(new PKCS8EncodedKeySpec(der));
        keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        keys.setKeyEntry("thrift", key, password.toCharArray(), certificates);
    }

    public void write(String file, String password) throws GeneralSecurityException, IOException {
        OutputStream output = new FileOutputStream(file);
        try {
            keys.store(output, password.toCharArray());
        } finally {
            output.close();
        }
    }

    private static List parts(String pem, String label) {
        List parts = new ArrayList();
        Matcher part = PART.matcher(pem);
        while (part.find()) {
            byte[] text = part.group(2).getBytes(StandardCharsets.US_ASCII);
            if (part.group(1).equals(label)) parts.add(Base64.getMimeDecoder().decode(text));
        }
        return parts;
    }
}
