export { type Catalogue, type CatalogueProduct, readCatalogue } from './catalogue.ts'
export { type GenerateOptions, generateCatalogue } from './generate.ts'
export { type RequestEntry, type Site, type SiteOptions, startSite } from './site.ts'
