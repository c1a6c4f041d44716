import { z } from 'zod'

const name = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/

/** The executors on Kubernetes, and how its API server is reached. */
export const kubernetesSettings = z
  .strictObject({
    namespace: z
      .string()
      .regex(name, 'must be a name such as `spark`, of lower-case letters, digits and dashes')
      .default('default')
      .describe('Namespace of the executors on Kubernetes'),
    image: z
      .string()
      .regex(/^[\w.:@/-]+$/, 'must be an image such as `registry.example.org/spark:4.1.1`')
      .nullable()
      .default(null)
      .describe('Image of the executors, which contains Spark 4.1; required on Kubernetes'),
    serviceAccount: z
      .string()
      .regex(/^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/, 'must be a name such as `spark`')
      .nullable()
      .default(null)
      .describe('Service account of the executors; null: the default one of the namespace'),
    tokenFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'File with the token of a service account that can create pods in the namespace; required on Kubernetes',
      ),
    caFile: z
      .string()
      .min(1)
      .nullable()
      .default(null)
      .describe('PEM file of the certificate authority of the API server; null: the public authorities'),
  })
  .prefault({})

interface Settings {
  readonly spark: {
    readonly master: string | null
    readonly driverHost: string | null
    readonly kubernetes: z.infer<typeof kubernetesSettings>
  }
  readonly lake: { readonly warehouse: string | null }
}

/** What Kubernetes requires, or values that have no effect without it. */
export const kubernetesConflicts = ({ spark, lake }: Settings): string[] => {
  const { namespace, image, tokenFile, ...rest } = spark.kubernetes
  if (!spark.master?.startsWith('k8s://')) {
    const values = { namespace: namespace === 'default' ? null : namespace, image, tokenFile, ...rest }
    return Object.entries(values)
      .filter(([, value]) => value !== null)
      .map(([key]) => `spark.kubernetes.${key}: has no effect without a spark.master that begins with k8s://`)
  }
  const required = {
    'kubernetes.image': image,
    'kubernetes.tokenFile': tokenFile,
    driverHost: spark.driverHost,
  }
  return [
    ...Object.entries(required)
      .filter(([, value]) => value === null)
      .map(([key]) => `spark.${key}: must be set if spark.master begins with k8s://`),
    // A pod has neither the disk of this machine nor a folder that others share with it.
    ...(/^(?:s3|hdfs):/.test(lake.warehouse ?? '')
      ? []
      : [
          'lake.warehouse: must begin with s3:// or hdfs:// if spark.master begins with k8s://, because the pods of the executors do not have folders of this machine',
        ]),
  ]
}
