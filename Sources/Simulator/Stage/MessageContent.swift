/// What a message says, for people who watch.
package struct MessageContent: Sendable {
  /// What kind of step it is; the page gives each a shape of its own.
  package enum Tone: UInt8, Sendable {
    /// Asks for a promise, a vote, or a look: nothing is changed by it for good.
    case ask = 0
    /// Carries a value to be kept.
    case write = 1
    /// Says yes.
    case yes = 2
    /// Says no.
    case no = 3
    /// Somebody is alive, or hands something on.
    case beat = 4
    /// A client's request, and the answer to it.
    case request = 5
    case answer = 6
  }

  package var tone: Tone
  /// One word, by which a script names it.
  package var kind: String
  /// A few words.
  package var label: String
  /// All of it, name by name.
  package var fields: [(name: String, value: String)]

  package init(_ tone: Tone, _ kind: String, _ label: String, _ fields: [(name: String, value: String)] = []) {
    self.tone = tone
    self.kind = kind
    self.label = label
    self.fields = fields
  }
}
