package offstream;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Reads the value of a message, which must be valid UTF-8, into the columns of the record.
 *
 * Columns, types, rules and the text of reasons come from java_classes.py.
 */
public class ProductReader {
    private static final JsonFactory JSON = new JsonFactory();
    /** The precision up to which Spark reads a number with a decimal point exactly. */
    private static final int MAX_DIGITS = 38;

    private final HashMap columns = new HashMap();
    private final String[] types;
    private final String[] wrongType;
    private final String[] missing;
    private final String[] negative;
    private final String[] notAllowed;
    private final String[][] allowed;
    private final String notObject;
    private final String invalidCode;
    private final String otherKey;
    private final Pattern code;
    private final Pattern time;

    public ProductReader(Map root) {
        List list = (List) root.get("columns");
        int count = list.size();
        types = new String[count];
        wrongType = new String[count];
        missing = new String[count];
        negative = new String[count];
        notAllowed = new String[count];
        allowed = new String[count][];
        for (int i = 0; i < count; i++) {
            Map column = (Map) list.get(i);
            columns.put(column.get("name"), Integer.valueOf(i));
            types[i] = (String) column.get("type");
            wrongType[i] = (String) column.get("wrongType");
            missing[i] = (String) column.get("missing");
            negative[i] = (String) column.get("negative");
            notAllowed[i] = (String) column.get("notAllowed");
            List values = (List) column.get("allowed");
            allowed[i] = new String[values.size()];
            for (int j = 0; j < values.size(); j++) allowed[i][j] = values.get(j).toString();
        }
        notObject = (String) root.get("notObject");
        invalidCode = (String) root.get("invalidCode");
        otherKey = (String) root.get("otherKey");
        code = Pattern.compile((String) root.get("code"));
        time = Pattern.compile((String) root.get("time"));
    }

    public int width() {
        return types.length;
    }

    public int column(String name) {
        return ((Integer) columns.get(name)).intValue();
    }

    /** Fills the first columns of the row. Returns the reason why the record is invalid, or null. It does not throw. */
    public String read(byte[] key, byte[] value, Object[] row) {
        try {
            String reason = parse(value, row);
            return reason == null ? problem(key, row) : reason;
        } catch (IOException e) {
            return notObject;
        }
    }

    /** Fills the row. Returns the reason if the value is not exactly one JSON object with values of the right types. */
    private String parse(byte[] value, Object[] row) throws IOException {
        if (isNotPlain(value)) return notObject;
        boolean[] wrong = null;
        JsonParser parser = JSON.createParser(value);
        if (parser.nextToken() != JsonToken.START_OBJECT) return notObject;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            Integer found = (Integer) columns.get(parser.currentName());
            JsonToken token = parser.nextToken();
            if (found == null) {
                parser.skipChildren();
                continue;
            }
            int column = found.intValue();
            // Of a repeated name the last value counts.
            row[column] = token == JsonToken.VALUE_NULL ? null : typed(types[column], token, parser);
            boolean isWrong = token != JsonToken.VALUE_NULL && row[column] == null;
            if (isWrong) parser.skipChildren();
            if (isWrong && wrong == null) wrong = new boolean[types.length];
            if (wrong != null) wrong[column] = isWrong;
        }
        if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) return notObject;
        if (wrong == null) return null;
        for (int i = 0; i < wrong.length; i++) if (wrong[i]) return wrongType[i];
        return null;
    }

    /** Jackson would skip a byte order mark, and take a zero among the first bytes for UTF-16 or UTF-32. */
    private static boolean isNotPlain(byte[] value) {
        if (value.length > 0 && value[0] == (byte) 0xEF) return true;
        for (int i = 0; i < value.length && i < 4; i++) if (value[i] == 0) return true;
        return false;
    }

    /** Returns null if JSON has another type here. */
    private Object typed(String type, JsonToken token, JsonParser parser) throws IOException {
        boolean isText = token == JsonToken.VALUE_STRING;
        if (type.equals("string")) return isText ? UTF8String.fromString(parser.getText()) : null;
        if (type.equals("timestamp")) return isText ? micros(parser.getText()) : null;
        if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) return null;
        if (type.equals("double")) {
            double number = parser.getDoubleValue();
            // The sum makes 0 of -0.
            return Double.isInfinite(number) ? null : Double.valueOf(number + 0.0);
        }
        Long whole = token == JsonToken.VALUE_NUMBER_INT ? integer(parser) : decimal(parser.getText());
        if (whole == null || type.equals("bigint")) return whole;
        return whole.longValue() == whole.intValue() ? Integer.valueOf(whole.intValue()) : null;
    }

    private static Long integer(JsonParser parser) throws IOException {
        boolean isLong = parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        return isLong ? Long.valueOf(parser.getLongValue()) : null;
    }

    /** JSON does not distinguish 4 from 4.0. A number with an exponent is not a whole number here. */
    private static Long decimal(String text) {
        if (text.length() > 2 * MAX_DIGITS || text.indexOf('e') >= 0 || text.indexOf('E') >= 0) return null;
        BigDecimal number = new BigDecimal(text);
        if (number.precision() > MAX_DIGITS || number.scale() > MAX_DIGITS) return null;
        try {
            return Long.valueOf(number.longValueExact());
        } catch (ArithmeticException e) {
            return null;
        }
    }

    /** Returns the microseconds since 1970 of an ISO 8601 text with a zone, or null if it is not one. */
    public Long micros(String text) {
        if (!time.matcher(text).find()) return null;
        try {
            Instant instant = OffsetDateTime.parse(text).toInstant();
            return Long.valueOf(instant.getEpochSecond() * 1_000_000L + instant.getNano() / 1_000);
        } catch (DateTimeException e) {
            return null;
        }
    }

    public boolean isCode(String text) {
        return code.matcher(text).find();
    }

    /** Returns the first rule that the record breaks, or null. */
    private String problem(byte[] key, Object[] row) {
        for (int i = 0; i < missing.length; i++) if (missing[i] != null && row[i] == null) return missing[i];
        String ownCode = row[column("code")].toString();
        if (!isCode(ownCode)) return invalidCode;
        if (!isText(key, ownCode)) return otherKey;
        for (int i = 0; i < negative.length; i++)
            if (negative[i] != null && row[i] != null && ((Number) row[i]).longValue() < 0) return negative[i];
        for (int i = 0; i < allowed.length; i++)
            if (allowed[i].length > 0 && row[i] != null && !Arrays.asList(allowed[i]).contains(row[i].toString()))
                return notAllowed[i];
        return null;
    }

    /** Compares bytes with ASCII text. */
    private static boolean isText(byte[] bytes, String text) {
        if (bytes == null || bytes.length != text.length()) return false;
        for (int i = 0; i < bytes.length; i++) if (bytes[i] != (byte) text.charAt(i)) return false;
        return true;
    }
}
