export * from './product.ts'
export * from './sources/source.ts'
