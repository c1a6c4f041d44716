/** The part of the Thrift library that offstream uses; the library has no types. */
declare module 'thrift' {
  export type OnMessage = (transport: TFramedTransport, id?: number) => void

  /** One message of a connection. */
  export class TFramedTransport {
    constructor(message?: Buffer)
    /** A listener for the data of a socket. It calls `onMessage` with each message. */
    static receiver(onMessage: OnMessage, id?: number): (data: Buffer) => void
    /** The message, and the index of the first byte that has not been read. */
    borrow(): { readonly buf: Buffer; readonly readIndex: number }
    /** Moves that index. */
    consume(byteCount: number): void
  }
}
