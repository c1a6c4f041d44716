import { z } from 'zod'
import { passwordSettings } from './clusterSettings.ts'

const defaultRegion = 'us-east-1'

/** The catalog of the tables and the folder of their files. */
export const lakeSettings = z
  .strictObject({
    catalog: z
      .strictObject({
        uri: z
          .string()
          .regex(
            /^(?:postgresql:\/\/(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?\/[\w.-]+|https?:\/\/(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?(?:\/[\w./~-]*)?)$/i,
            'must be an address such as `postgresql://db.example.org:5432/lake` or `https://catalog.example.org`, without a user or a password',
          )
          .nullable()
          .default(null)
          .describe(
            'The catalog of the tables: a database of an existing PostgreSQL server, such as `postgresql://db.example.org/lake`, or an Iceberg REST catalog, such as `https://catalog.example.org`; null: a SQLite file here',
          ),
        warehouse: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe('Name of the warehouse in a REST catalog; null: the location in `lake.warehouse`'),
        oauth: z
          .strictObject({
            tokenUri: z
              .url({ protocol: /^https?$/ })
              .regex(/^[^@]*$/, 'must be an address without a user or a password')
              .nullable()
              .default(null)
              .describe(
                'Address of the OAuth2 server that issues tokens for `lake.catalog.user`; null: `/v1/oauth/tokens` of the REST catalog',
              ),
            scope: z
              .string()
              .min(1)
              .nullable()
              .default(null)
              .describe('Scope of these tokens, such as `PRINCIPAL_ROLE:ALL`; null: `catalog`'),
          })
          .prefault({}),
        tls: z
          .strictObject({
            enabled: z
              .boolean()
              .default(false)
              .describe(
                'Use TLS for a database; the certificate and the host name are verified. A REST catalog uses TLS if its address begins with `https:`',
              ),
            caFile: z
              .string()
              .min(1)
              .nullable()
              .default(null)
              .describe('PEM file of the certificate authority; null: the public authorities'),
          })
          .prefault({}),
        user: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe(
            'User of the database, which requires one; with a REST catalog the OAuth2 client whose secret is the password; null: the password is a token',
          ),
        ...passwordSettings('OFFSTREAM_LAKE_PASSWORD'),
      })
      .prefault({}),
    warehouse: z
      .string()
      .regex(
        /^(?:(?:file:\/\/)?\/|s3:\/\/[a-z\d][a-z\d.-]*\/?|hdfs:\/\/[\w.-]+(?::\d{1,5})?\/)[^,:?#%*|"[\]{}]*$/,
        'must be an absolute path such as `/shared/lake`, `s3://bucket/lake` or `hdfs://name.example.org/lake`, without `,:?#%*|"` and brackets',
      )
      .nullable()
      .default(null)
      .describe(
        'Place of the files of the tables: a path, `s3://bucket/path` or `hdfs://host/path`; required with `lake.catalog.uri`; null: `.offstream/lake` of the project',
      ),
    s3: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          // It is among the arguments of programs.
          .regex(/^[^@]*$/, 'must be an address without a user or a password')
          .nullable()
          .default(null)
          .describe('Address of the object store, if it is not that of AWS'),
        region: z.string().min(1).default(defaultRegion).describe('Region of the bucket'),
        pathStyle: z
          .boolean()
          .default(false)
          .describe('Whether the bucket is in the path of an address and not in its host name'),
        credentialsFile: z
          .string()
          .min(1)
          .nullable()
          .default(null)
          .describe(
            'File such as `~/.aws/credentials`, whose section `default` has the keys if AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; null: none',
          ),
      })
      .prefault({}),
  })
  .prefault({})

type LakeSettings = z.infer<typeof lakeSettings>

/** Whether `lake.catalog.uri` is the address of a server with the REST interface of Iceberg. */
export const isRestAddress = (uri: string | null): boolean => /^https?:/i.test(uri ?? '')

/** Values of the section, and the place of the checkpoint, that contradict each other. */
export const lakeConflicts = (lake: LakeSettings, checkpoint: string | null): string[] => [
  ...catalogConflicts(lake),
  ...storeConflicts(lake),
  // The stream before would commit its last batch to the checkpoint that the later one has already changed.
  ...(checkpoint !== null && isRestAddress(lake.catalog.uri)
    ? [
        'stream.checkpoint: must not be set with a REST catalog, which has no lock that lets only one stream write it',
      ]
    : []),
  // Its keys and its address are those of the tables.
  ...(checkpoint?.startsWith('s3://') && !lake.warehouse?.startsWith('s3://')
    ? [
        'stream.checkpoint: must not begin with s3:// without a lake.warehouse that begins with s3://, whose object store it uses',
      ]
    : []),
]

const storeConflicts = ({ warehouse, s3 }: LakeSettings): string[] => {
  if (warehouse?.startsWith('s3://')) return []
  const { endpoint, region, pathStyle, credentialsFile } = s3
  const isSet = {
    endpoint: endpoint !== null,
    region: region !== defaultRegion,
    pathStyle,
    credentialsFile: credentialsFile !== null,
  }
  return Object.entries(isSet).flatMap(([name, set]) =>
    set ? [`lake.s3.${name}: has no effect without a lake.warehouse that begins with s3://`] : [],
  )
}

const catalogConflicts = ({ catalog, warehouse }: LakeSettings): string[] => {
  const { uri, tls, user, passwordFile, oauth } = catalog
  const isRest = isRestAddress(uri)
  const onlyRest = {
    warehouse: catalog.warehouse,
    'oauth.tokenUri': oauth.tokenUri,
    'oauth.scope': oauth.scope,
  }
  const withoutRest = Object.entries(onlyRest).flatMap(([name, value]) =>
    isRest || value === null ? [] : [`lake.catalog.${name}: has no effect without a REST catalog`],
  )
  if (uri === null)
    return [
      ...withoutRest,
      ...(tls.enabled ? ['lake.catalog.tls.enabled: has no effect without lake.catalog.uri'] : []),
      ...(user === null ? [] : ['lake.catalog.user: has no effect without lake.catalog.uri']),
      ...(passwordFile === null ? [] : ['lake.catalog.passwordFile: has no effect without lake.catalog.uri']),
      ...(warehouse === null ? [] : ['lake.warehouse: has no effect without lake.catalog.uri']),
    ]
  return [
    ...withoutRest,
    ...(user === null && !isRest ? ['lake.catalog.user: must be set if lake.catalog.uri is set'] : []),
    // `offstream reset` deletes the folder of the stack, and the catalog would still list its tables.
    ...(warehouse === null ? ['lake.warehouse: must be set if lake.catalog.uri is set'] : []),
    ...(/\/\.offstream(?:\/|$)/.test(warehouse ?? '')
      ? ['lake.warehouse: must not be in a folder `.offstream`, which `offstream reset` deletes']
      : []),
    ...(isRest
      ? restConflicts(catalog)
      : tls.caFile !== null && !tls.enabled
        ? ['lake.catalog.tls.caFile: has no effect without lake.catalog.tls.enabled']
        : []),
  ]
}

const restConflicts = ({ uri, user, tls, oauth }: LakeSettings['catalog']): string[] => [
  ...(tls.enabled
    ? [
        'lake.catalog.tls.enabled: has no effect with a REST catalog, which uses TLS if its address begins with https:',
      ]
    : []),
  ...(tls.caFile !== null && !/^https:/i.test(uri ?? '')
    ? ['lake.catalog.tls.caFile: has no effect with an address that begins with http:']
    : []),
  ...Object.entries(oauth).flatMap(([name, value]) =>
    user === null && value !== null
      ? [`lake.catalog.oauth.${name}: has no effect without lake.catalog.user`]
      : [],
  ),
]
