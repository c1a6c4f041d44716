import { pathToFileURL } from 'node:url'
import type { ConnectTool } from '../names.ts'

/** The location of the table. */
export interface Place {
  readonly host: string
  readonly port: number
  /** The folder of the Iceberg tables, and the SQLite file of their catalog. */
  readonly warehouse: string
  readonly catalog: string
  /** The program beeline of Spark; null if the stack is not running. */
  readonly beeline: string | null
}

/** A file or a script of a guide, complete. */
export interface Sample {
  readonly name: string
  readonly text: string
}

/** How to connect a tool to the table of a stack. */
export interface Guide {
  readonly tool: ConnectTool
  readonly title: string
  /** The values that the tool requires, with the labels that it shows. */
  readonly settings: Readonly<Record<string, string>>
  readonly steps: readonly string[]
  readonly samples: readonly Sample[]
}

const sample = (name: string, ...lines: readonly string[]): Sample => ({
  name,
  text: `${lines.join('\n')}\n`,
})

/** A string of Python, with the characters of any path. */
const quoted = (text: string): string => JSON.stringify(text)

const user = 'offstream'
const count = 'SELECT count(*) AS products FROM Products'
const byGroup =
  'SELECT nova_group, count(*) AS products FROM Products GROUP BY nova_group ORDER BY nova_group'

const serverSettings = ({ host, port }: Place): Record<string, string> => ({
  Host: host,
  Port: String(port),
  Database: 'default',
  User: user,
  Password: 'none',
})

const jdbcUrl = ({ host, port }: Place): string => `jdbc:hive2://${host}:${port}/default`
const sqlAlchemyUrl = ({ host, port }: Place): string => `hive://${user}@${host}:${port}/default`

/** The lines of Python that open the table `products` with pyiceberg, without Spark. */
const openTable = ({ catalog, warehouse }: Place): readonly string[] => [
  'from pyiceberg.catalog.sql import SqlCatalog',
  '',
  `catalog = SqlCatalog("lake", uri="sqlite:///" + ${quoted(catalog)}, warehouse=${quoted(pathToFileURL(warehouse).href)})`,
  'table = catalog.load_table("off.products")',
]

const readerSteps = (packages: string): readonly string[] => [
  `pip install ${packages}`,
  'The files are read directly, even while the stack is stopped. Only the job writes to the table.',
]

const guides: Readonly<Record<ConnectTool, (place: Place) => Omit<Guide, 'tool'>>> = {
  tableau: ({ host, port }) => ({
    title: 'Tableau',
    settings: {
      ...{ Server: host, Port: String(port), Type: 'SparkThriftServer', Authentication: 'Username' },
      ...{ Transport: 'SASL', Username: user, Schema: 'default', 'Custom SQL': 'SELECT * FROM Products' },
    },
    steps: [
      'Install Tableau 2026.1 or later and its Spark SQL driver.',
      'Run `offstream tableau`, and open `Data-viz.twb`; or `offstream tableau --datasource` for your own sheets.',
    ],
    samples: [],
  }),
  dbeaver: place => ({
    title: 'DBeaver',
    settings: { 'JDBC URL': jdbcUrl(place), ...serverSettings(place) },
    steps: [
      'Select Database → New Database Connection → Apache Spark (or Apache Hive); DBeaver downloads the driver.',
      'Connect by URL, enter the user and no password, and test the connection.',
      'The views are in the schema `default`.',
    ],
    samples: [],
  }),
  superset: place => ({
    title: 'Apache Superset',
    settings: { 'SQLAlchemy URI': sqlAlchemyUrl(place) },
    steps: [
      "Install PyHive in Superset's environment: pip install pyhive thrift thrift_sasl pure-sasl",
      'Select Settings → Database Connections → + Database → Apache Spark SQL (or Apache Hive), and enter the URI.',
      'Run SELECT * FROM Products in SQL Lab, and save it as a dataset. The list of tables shows only the schema, because PyHive expects the output of Hive.',
      'If Superset runs in a container, replace the host with the address of this machine, and set `host` in offstream.yaml.',
    ],
    samples: [],
  }),
  metabase: place => ({
    title: 'Metabase',
    settings: serverSettings(place),
    steps: ['Select Admin settings → Databases → Add database → Spark SQL, and enter these values.'],
    samples: [],
  }),
  python: place => ({
    title: 'Python',
    settings: { 'SQLAlchemy URL': sqlAlchemyUrl(place) },
    steps: [
      "pip install pyhive thrift thrift_sasl pure-sasl sqlalchemy, or impyla, or without Spark 'pyiceberg[sql-sqlite,pyarrow]'",
    ],
    samples: [
      sample(
        'sqlalchemy.py',
        'from sqlalchemy import create_engine, text',
        '',
        `engine = create_engine(${quoted(sqlAlchemyUrl(place))})`,
        'with engine.connect() as connection:',
        `    for row in connection.execute(text(${quoted(byGroup)})):`,
        '        print(*row)',
      ),
      sample(
        'pyhive.py',
        'from pyhive import hive',
        '',
        `connection = hive.connect(host=${quoted(place.host)}, port=${place.port}, username="${user}")`,
        'cursor = connection.cursor()',
        `cursor.execute(${quoted(byGroup)})`,
        'for row in cursor.fetchall():',
        '    print(*row)',
      ),
      sample(
        'impyla.py',
        'from impala.dbapi import connect',
        '',
        `connection = connect(host=${quoted(place.host)}, port=${place.port}, auth_mechanism="PLAIN", user="${user}", password="none")`,
        'cursor = connection.cursor()',
        `cursor.execute(${quoted(byGroup)})`,
        'for row in cursor.fetchall():',
        '    print(*row)',
      ),
      sample(
        'pyiceberg.py',
        ...openTable(place),
        'products = table.scan(row_filter="deleted = false").to_arrow()',
        'print(products.num_rows)',
      ),
    ],
  }),
  duckdb: place => ({
    title: 'DuckDB',
    settings: { Catalog: place.catalog, Warehouse: place.warehouse },
    steps: readerSteps(
      'duckdb duckdb-extensions duckdb-extension-iceberg duckdb-extension-avro "pyiceberg[sql-sqlite,pyarrow]"',
    ),
    samples: [
      sample(
        'duckdb_pyiceberg.py',
        ...openTable(place),
        'duckdb = table.scan(row_filter="deleted = false").to_duckdb("Products")',
        `print(duckdb.sql(${quoted(byGroup)}))`,
      ),
      sample(
        'duckdb_iceberg.py',
        'import duckdb',
        'from duckdb_extensions import import_extension',
        ...openTable(place),
        'for extension in ("avro", "iceberg"):  # instead of INSTALL, which needs the network',
        '    import_extension(extension)',
        'duckdb.sql("LOAD iceberg")',
        `duckdb.sql("CREATE VIEW Products AS SELECT * FROM iceberg_scan('" + table.metadata_location.replace("'", "''") + "') WHERE NOT deleted")`,
        `print(duckdb.sql(${quoted(byGroup)}))`,
      ),
    ],
  }),
  polars: place => ({
    title: 'Polars',
    settings: { Catalog: place.catalog, Warehouse: place.warehouse },
    steps: readerSteps('polars "pyiceberg[sql-sqlite,pyarrow]"'),
    samples: [
      sample(
        'polars_iceberg.py',
        'import polars as pl',
        ...openTable(place),
        'products = pl.scan_iceberg(table).filter(~pl.col("deleted"))',
        'print(products.group_by("nova_group").len("products").sort("nova_group").collect())',
      ),
    ],
  }),
  jdbc: place => ({
    title: 'JDBC',
    settings: {
      'JDBC URL': jdbcUrl(place),
      Driver: 'org.apache.hive.jdbc.HiveDriver',
      Artifact: 'org.apache.hive:hive-jdbc (any version from 2.3)',
      ...{ User: user, Password: 'none' },
    },
    steps: [
      'Authentication is "none" (SASL), which is not the same as "noSasl".',
      ...(place.beeline === null
        ? ['Spark has the client beeline: while the stack is running, this command prints how to call it.']
        : []),
    ],
    samples:
      place.beeline === null
        ? []
        : [
            sample(
              'beeline.sh',
              // Without input: from a pipe beeline would read more statements.
              `${shellWord(place.beeline)} -u ${jdbcUrl(place)} -n ${user} -e ${shellWord(count)} < /dev/null`,
            ),
          ],
  }),
  dbt: place => ({
    title: 'dbt',
    settings: { ...serverSettings(place), Method: 'thrift' },
    steps: [
      "pip install 'dbt-core<1.11' 'dbt-spark<1.11' pyhive thrift thrift_sasl pure-sasl",
      'Put these files into a folder, and run in this folder: dbt run --profiles-dir .',
      'The model is a view, which exists until the Thrift server restarts. Only the job writes to the table.',
    ],
    samples: [
      sample(
        'profiles.yml',
        'offstream:',
        '  target: dev',
        '  outputs:',
        '    dev:',
        '      type: spark',
        '      method: thrift',
        `      host: ${quoted(place.host)}`,
        `      port: ${place.port}`,
        `      user: ${user}`,
        '      schema: default',
      ),
      sample(
        'dbt_project.yml',
        'name: offstream',
        'version: "1.0.0"',
        'profile: offstream',
        'model-paths: ["models"]',
      ),
      sample(
        'models/products_by_grade.sql',
        "{{ config(materialized='view') }}",
        'SELECT nutriscore_grade, count(*) AS products',
        'FROM default.products',
        'GROUP BY nutriscore_grade',
      ),
    ],
  }),
}

/** A word of a shell command: in single quotes. */
const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The guide of a tool, filled in for a stack. */
export const guideFor = (tool: ConnectTool, place: Place): Guide => ({ tool, ...guides[tool](place) })
