package offstream;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Properties;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.security.sasl.AuthenticationException;
import org.apache.hive.service.auth.PasswdAuthenticationProvider;

/**
 * Checks the user and the password of a client of the Thrift server. The file that the system property names has the
 * user and a hash of the password. Hive makes an object of this class for each login.
 */
public class ThriftLogin implements PasswdAuthenticationProvider {
    public static final String FILE = "offstream.thrift.login";

    /** Of the last login that was accepted: to hash a password takes longer than most queries. */
    private static volatile byte[] accepted = {};

    private static final byte[] processSalt = SecureRandom.getSeed(32);

    public void Authenticate(String user, String password) throws AuthenticationException {
        boolean isAccepted;
        try {
            isAccepted = isAccepted(read(System.getProperty(FILE)), user, password);
        } catch (Exception error) {
            throw new AuthenticationException("the login cannot be checked", error);
        }
        if (!isAccepted) throw new AuthenticationException("the user name or the password is wrong");
    }

    private static boolean isAccepted(Properties login, String user, String password)
        throws GeneralSecurityException {
        byte[] digest = digest(login.getProperty("hash"), user, password);
        if (MessageDigest.isEqual(digest, accepted)) return true;
        boolean isUser = MessageDigest.isEqual(bytes(user), bytes(login.getProperty("user")));
        if (!(isPassword(login, password) && isUser)) return false;
        accepted = digest;
        return true;
    }

    private static boolean isPassword(Properties login, String password) throws GeneralSecurityException {
        byte[] salt = Base64.getDecoder().decode(login.getProperty("salt"));
        byte[] hash = Base64.getDecoder().decode(login.getProperty("hash"));
        int iterations = Integer.parseInt(login.getProperty("iterations"));
        PBEKeySpec key = new PBEKeySpec(password.toCharArray(), salt, iterations, hash.length * 8);
        SecretKeyFactory factory = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256");
        return MessageDigest.isEqual(factory.generateSecret(key).getEncoded(), hash);
    }

    /** Without the lengths, two logins could have the same text. */
    private static byte[] digest(String hash, String user, String password) throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(processSalt);
        digest.update(bytes(hash + " " + user.length() + " " + user + password));
        return digest.digest();
    }

    private static Properties read(String file) throws IOException {
        Properties properties = new Properties();
        InputStream input = new FileInputStream(file);
        try {
            properties.load(input);
        } finally {
            input.close();
        }
        return properties;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
