import { pathToFileURL } from 'node:url'
import type { ConnectTool } from '../names.ts'
import type { RestLogin } from '../services/restCatalog.ts'

/** The location of the table. */
export interface Place {
  readonly host: string
  readonly port: number
  /** The folder of the Iceberg tables, or their place in an object store. */
  readonly warehouse: string
  /** Properties of Iceberg for that object store; empty for a folder. */
  readonly store: Readonly<Record<string, string>>
  /** Their catalog: a SQLite file, or the address of a database in PostgreSQL or of a REST catalog. */
  readonly catalog: string
  /** The user of that database; null: the catalog is another one. */
  readonly catalogUser: string | null
  /** How pyiceberg logs in to a REST catalog, without the secret; null: the catalog is another one. */
  readonly rest: RestLogin | null
  /** The program beeline of Spark; null if the stack is not running. */
  readonly beeline: string | null
  /** The user name if the server requires a password, and the environment variable with the password. */
  readonly login: { readonly username: string; readonly passwordVariable: string } | null
  /** Null: the server does not use TLS. `caFile` is null if a public authority signed its certificate. */
  readonly tls: { readonly caFile: string | null } | null
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

const userOf = ({ login }: Place): string => login?.username ?? 'offstream'
const passwordOf = ({ login }: Place): string =>
  login === null ? 'none' : `the value of ${login.passwordVariable}`
const count = 'SELECT count(*) AS products FROM Products'
const byGroup =
  'SELECT nova_group, count(*) AS products FROM Products GROUP BY nova_group ORDER BY nova_group'

const tlsSettings = ({ tls }: Place): Record<string, string> =>
  tls === null ? {} : { TLS: `required; authority: ${tls.caFile ?? 'a public one'}` }

const serverSettings = (place: Place): Record<string, string> => ({
  Host: place.host,
  Port: String(place.port),
  Database: 'default',
  User: userOf(place),
  Password: passwordOf(place),
  ...tlsSettings(place),
})

/** The key store in which Java's clients look for an authority that is not public. */
const trustStore = 'offstream-ca.p12'

const trustParameters = ({ tls }: Place): string =>
  tls === null
    ? ''
    : `;ssl=true${tls.caFile === null ? '' : `;sslTrustStore=${trustStore};trustStorePassword=changeit`}`

const jdbcUrl = (place: Place): string =>
  `jdbc:hive2://${place.host}:${place.port}/default${trustParameters(place)}`

/** Java reads no PEM files as authorities. */
const trustSteps = ({ tls }: Place): readonly string[] =>
  tls?.caFile == null
    ? []
    : [
        `Copy the authority into a key store: keytool -importcert -noprompt -alias offstream -storetype PKCS12 -storepass changeit -file ${shellWord(tls.caFile)} -keystore ${trustStore}`,
      ]

const sqlAlchemyUrl = (place: Place): string =>
  place.login === null
    ? `hive://offstream@${place.host}:${place.port}/default`
    : `hive://${encodeURIComponent(place.login.username)}:${passwordOf(place)}@${place.host}:${place.port}/default?auth=LDAP`

/** The lines of Python that open the table `products` with pyiceberg, without Spark. */
const openTable = (place: Place): readonly string[] =>
  place.rest === null ? openSqlTable(place) : openRestTable(place.rest, place.store)

const openRestTable = (
  { properties, user, passwordVariable }: RestLogin,
  store: Place['store'],
): readonly string[] => [
  'import os',
  '',
  'from pyiceberg.catalog.rest import RestCatalog',
  '',
  `secret = os.environ[${quoted(passwordVariable)}]`,
  `login = {${user === null ? '"token": secret' : `"credential": ${quoted(`${user}:`)} + secret`}}`,
  `catalog = RestCatalog("lake", **${JSON.stringify({ ...properties, ...store })}, **login)`,
  'table = catalog.load_table("off.products")',
]

const openSqlTable = ({ catalog, catalogUser, warehouse, store }: Place): readonly string[] => [
  'from pyiceberg.catalog.sql import SqlCatalog',
  '',
  `catalog = SqlCatalog(${[
    '"lake"',
    `uri=${catalogUser === null ? `"sqlite:///" + ${quoted(catalog)}` : quoted(databaseUrl(catalog, catalogUser))}`,
    `warehouse=${quoted(warehouse.startsWith('/') ? pathToFileURL(warehouse).href : warehouse)}`,
    ...(Object.keys(store).length === 0 ? [] : [`**${JSON.stringify(store)}`]),
  ].join(', ')})`,
  'table = catalog.load_table("off.products")',
]

const pyHiveSamples = (place: Place): readonly Sample[] => [
  sample(
    'sqlalchemy.py',
    ...(place.login === null ? [] : ['import os', '']),
    'from sqlalchemy import create_engine, text',
    ...(place.login === null
      ? ['', `engine = create_engine(${quoted(sqlAlchemyUrl(place))})`]
      : [
          'from sqlalchemy.engine import URL',
          '',
          `url = URL.create("hive", ${quoted(place.login.username)}, ${pythonPassword(place)}, ${quoted(place.host)}, ${place.port}, "default", {"auth": "LDAP"})`,
          'engine = create_engine(url)',
        ]),
    'with engine.connect() as connection:',
    `    for row in connection.execute(text(${quoted(byGroup)})):`,
    '        print(*row)',
  ),
  sample(
    'pyhive.py',
    ...(place.login === null ? [] : ['import os', '']),
    'from pyhive import hive',
    '',
    `connection = hive.connect(host=${quoted(place.host)}, port=${place.port}, username=${quoted(userOf(place))}${place.login === null ? '' : `, password=${pythonPassword(place)}, auth="LDAP"`})`,
    'cursor = connection.cursor()',
    `cursor.execute(${quoted(byGroup)})`,
    'for row in cursor.fetchall():',
    '    print(*row)',
  ),
]

/** No script contains the password. */
const pythonPassword = ({ login }: Place): string =>
  login === null ? '"none"' : `os.environ[${quoted(login.passwordVariable)}]`

/** For SQLAlchemy. Its driver finds the password in PGPASSWORD or in `~/.pgpass`. */
const databaseUrl = (catalog: string, catalogUser: string): string =>
  catalog.replace('postgresql://', `postgresql+psycopg2://${encodeURIComponent(catalogUser)}@`)

/** The package that reads the tables, with the driver of their catalog. */
const reader = ({ catalogUser, rest }: Place): string =>
  `pyiceberg[${rest === null ? `${catalogUser === null ? 'sql-sqlite' : 'sql-postgres'},` : ''}pyarrow]`

const readerSteps = (place: Place, packages: string): readonly string[] => [
  `pip install ${packages} "${reader(place)}"`,
  ...(place.catalogUser === null
    ? []
    : ['Set PGPASSWORD to the password of the catalog, or write it to `~/.pgpass`.']),
  ...(place.rest === null
    ? []
    : [`Set ${place.rest.passwordVariable} to the password or the token of the catalog.`]),
  ...(Object.keys(place.store).length === 0
    ? []
    : ['Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the keys of the object store.']),
  'The files are read directly, even while the stack is stopped. Only the job writes to the table.',
]

const guides: Readonly<Record<ConnectTool, (place: Place) => Omit<Guide, 'tool'>>> = {
  tableau: place => ({
    title: 'Tableau',
    settings: {
      ...{ Server: place.host, Port: String(place.port), Type: 'SparkThriftServer' },
      Authentication: place.login === null ? 'Username' : 'Username and password',
      ...{ Transport: 'SASL', Username: userOf(place) },
      ...(place.login === null ? {} : { Password: passwordOf(place) }),
      ...(place.tls === null ? {} : { 'Require SSL': 'yes' }),
      ...{ Schema: 'default', 'Custom SQL': 'SELECT * FROM Products' },
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
      ...trustSteps(place),
      `Connect by URL, enter the user and ${place.login === null ? 'no' : 'the'} password, and test the connection.`,
      'The views are in the schema `default`.',
    ],
    samples: [],
  }),
  superset: place => ({
    title: 'Apache Superset',
    settings: { 'SQLAlchemy URI': sqlAlchemyUrl(place) },
    steps: [
      "Install PyHive in Superset's environment: pip install pyhive thrift thrift_sasl pure-sasl",
      ...(place.tls === null
        ? []
        : [
            'PyHive does not support TLS in the URI: connect to a local TLS tunnel, such as stunnel, that verifies the certificate.',
          ]),
      'Select Settings → Database Connections → + Database → Apache Spark SQL (or Apache Hive), and enter the URI.',
      'Run SELECT * FROM Products in SQL Lab, and save it as a dataset. The list of tables shows only the schema, because PyHive expects the output of Hive.',
      'If Superset runs in a container, replace the host with the address of this machine, and set `host` in offstream.yaml.',
    ],
    samples: [],
  }),
  metabase: place => ({
    title: 'Metabase',
    settings: {
      ...serverSettings(place),
      ...(place.tls === null ? {} : { 'Additional JDBC options': trustParameters(place) }),
    },
    steps: [
      ...trustSteps(place),
      'Select Admin settings → Databases → Add database → Spark SQL, and enter these values.',
    ],
    samples: [],
  }),
  python: place => ({
    title: 'Python',
    settings:
      place.tls === null
        ? { 'SQLAlchemy URL': sqlAlchemyUrl(place) }
        : { Host: place.host, Port: String(place.port), ...tlsSettings(place) },
    steps: [
      `pip install pyhive thrift thrift_sasl pure-sasl sqlalchemy, or impyla, or without Spark '${reader(place)}'`,
      ...(place.tls === null
        ? []
        : ['PyHive and SQLAlchemy have no settings for TLS: use impyla or pyiceberg.']),
    ],
    samples: [
      ...(place.tls === null ? pyHiveSamples(place) : []),
      sample(
        'impyla.py',
        ...(place.login === null ? [] : ['import os', '']),
        'from impala.dbapi import connect',
        '',
        'connection = connect(',
        `    host=${quoted(place.host)}, port=${place.port},`,
        `    auth_mechanism="PLAIN", user=${quoted(userOf(place))}, password=${pythonPassword(place)},`,
        ...(place.tls === null
          ? []
          : [
              `    use_ssl=True, ${place.tls.caFile === null ? 'verify_cert=True' : `ca_cert=${quoted(place.tls.caFile)}`},`,
            ]),
        ')',
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
    steps: readerSteps(place, 'duckdb duckdb-extensions duckdb-extension-iceberg duckdb-extension-avro'),
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
    steps: readerSteps(place, 'polars'),
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
      ...{ User: userOf(place), Password: passwordOf(place) },
    },
    steps: [
      'Authentication is "none" (SASL) or by password, which is not the same as "noSasl".',
      ...trustSteps(place),
      ...(place.beeline === null
        ? ['Spark has the client beeline: while the stack is running, this command prints how to call it.']
        : []),
      ...(place.beeline === null || place.login === null
        ? []
        : ['The password must not contain blanks: beeline splits it there.']),
    ],
    samples:
      place.beeline === null
        ? []
        : [
            sample(
              'beeline.sh',
              // Without input: from a pipe beeline would read more statements.
              // It reads the password from a file, because arguments are visible to other users.
              ...(place.login === null
                ? []
                : [`(umask 077; printf %s "$${place.login.passwordVariable}" > beeline.password)`]),
              [
                ...[shellWord(place.beeline), '-u', shellUrl(place), '-n', shellName(userOf(place))],
                ...(place.login === null ? [] : ['-w', 'beeline.password']),
                ...['-e', shellWord(count), '<', '/dev/null'],
              ].join(' '),
            ),
          ],
  }),
  dbt: place => ({
    title: 'dbt',
    settings: { ...serverSettings(place), Method: 'thrift' },
    steps: [
      "pip install 'dbt-core<1.11' 'dbt-spark<1.11' pyhive thrift thrift_sasl pure-sasl",
      ...(place.tls === null
        ? []
        : [
            'dbt-spark does not verify certificates, and cannot use TLS with current versions of thrift: connect to a local TLS tunnel, such as stunnel, that verifies the certificate.',
          ]),
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
        ...(place.login === null
          ? ['      user: offstream']
          : [
              `      user: ${quoted(place.login.username)}`,
              '      auth: LDAP',
              `      password: "{{ env_var('${place.login.passwordVariable}') }}"`,
            ]),
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

const shellUrl = (place: Place): string => (place.tls === null ? jdbcUrl(place) : shellWord(jdbcUrl(place)))

const shellName = (name: string): string => (/^[\w.-]+$/.test(name) ? name : shellWord(name))

/** A word of a shell command: in single quotes. */
const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The guide of a tool, filled in for a stack. */
export const guideFor = (tool: ConnectTool, place: Place): Guide => ({ tool, ...guides[tool](place) })
