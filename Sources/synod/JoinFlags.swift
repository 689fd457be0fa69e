import Base
import Client
import Linux
import Server

/// How a node that is to be added finds its cluster.
enum JoinFlags {
  /// How long the cluster is looked for, in milliseconds.
  private static let patience: UInt64 = 30_000

  static func joining(_ arguments: Arguments) throws(Failure) -> Joining? {
    guard let member = arguments["join"] else {
      guard !arguments.has("peer-listen") else { throw .usage("--peer-listen goes with --join") }
      return nil
    }
    guard let endpoint = Endpoint.list(member)?.first else { throw .usage("--join \(member): HOST:PORT is wanted") }
    guard !arguments.has("peers") else { throw .usage("--join and --peers contradict each other") }
    guard let listen = arguments["peer-listen"], let address = HostPort(listen), address.port > 0 else {
      throw .usage("--join needs --peer-listen HOST:PORT: where its peers reach this node")
    }
    var options = ClientOptions()
    options.timeoutMilliseconds = patience
    options.token = ClientFlags.environment("SYNOD_TOKEN")
    return Joining(address: address) { [options] () throws(NodeError) in try members(endpoint, options) }
  }

  private static func members(
    _ endpoint: Endpoint, _ options: ClientOptions
  ) throws(NodeError) -> (epoch: UInt32, members: [(id: NodeID, address: HostPort)]) {
    let cluster: ClusterMembers
    do throws(ClientError) {
      cluster = try SynodClient([endpoint], options: options).members()
    } catch {
      throw NodeError("--join \(endpoint.description): \(error.description)")
    }
    var members: [(id: NodeID, address: HostPort)] = []
    for member in cluster.members {
      guard let id = UInt16(exactly: member.id), let address = HostPort(member.address) else {
        throw NodeError("--join \(endpoint.description): what it says of its members cannot be read")
      }
      members.append((NodeID(id), address))
    }
    return (UInt32(truncatingIfNeeded: cluster.epoch), members)
  }
}
