import type { OnMessage } from 'thrift'

/** The length precedes each message of a connection. */
const headBytes = 4

/**
 * The transport of hive-driver's connection, with another receiver: that of the Thrift library copies every byte into an
 * array and back, which takes longer than all other processing of a large result.
 */
export const loadFrameTransport = async () => {
  const { default: thrift } = await import('thrift')
  return class FrameTransport extends thrift.TFramedTransport {
    static override receiver(onMessage: OnMessage, id?: number): (data: Buffer) => void {
      return messagesOf(message => onMessage(new thrift.TFramedTransport(message), id))
    }
  }
}

/** A listener for the data of a socket. It calls `onMessage` with each complete message, without its length. */
export const messagesOf = (onMessage: (message: Buffer) => void): ((data: Buffer) => void) => {
  let chunks: Buffer[] = []
  let received = 0
  let expected = headBytes
  return data => {
    chunks.push(data)
    received += data.length
    // A message of some megabytes comes in many chunks: they are joined once, when it is complete.
    while (received >= expected) {
      const all = Buffer.concat(chunks)
      const end = headBytes + all.readUInt32BE()
      if (received >= end) onMessage(all.subarray(headBytes, end))
      const rest = received >= end ? all.subarray(end) : all
      chunks = [rest]
      received = rest.length
      expected = received < headBytes ? headBytes : headBytes + rest.readUInt32BE()
    }
  }
}
