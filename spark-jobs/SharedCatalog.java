package offstream;

import org.apache.iceberg.catalog.Catalog;
import org.apache.iceberg.spark.SparkCatalog;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * The catalog `lake` of the Thrift server, if it is a database or a REST catalog. Each SQL session has its own object of
 * this class. All of them share the connections: those of a session would stay open until Java collects the session.
 */
public class SharedCatalog extends SparkCatalog {
    private static Catalog shared;

    protected Catalog buildIcebergCatalog(String name, CaseInsensitiveStringMap options) {
        synchronized (SharedCatalog.class) {
            if (shared == null) shared = super.buildIcebergCatalog(name, options);
            return shared;
        }
    }
}
