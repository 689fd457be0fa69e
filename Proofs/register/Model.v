(** One register: rounds, one-round reads, promises that ride on accepts, and
    acceptors that answer "no record".  Definitions only; the theorems about
    them are in Safety.v, History.v and Linearizable.v.

    How to read it.  The network is a growing set of messages: loss = never
    used, duplication and reordering = used again or later.  A crash of an
    acceptor that keeps its durable state is a stutter (R3); a proposer has no
    state but the messages.  Any node may do any step at any time, so timeouts,
    forwarding and back-off (R10) need no mention.

    The guard of a proposal is semantic: every ballot between its parent and
    itself is [blocked], that is, can never be chosen any more.  How promises
    of a quorum establish it is the business of the layers above (Members.v);
    so nothing here speaks of majorities or of configurations. *)
From Coq Require Import List.
From Synod Require Import Ballot.
Import ListNotations.

Class Register := {
  A : Type;                                      (* acceptors                   *)
  V : Type;                                      (* cells                       *)
  R : Type;                                      (* reads, each with its own id *)
  A_dec : forall a b : A, {a = b} + {a <> b};
  init : V;                                      (* nothing was ever written    *)
  chg : ballot -> V -> V;                        (* what the fold submitted     *)
                                                 (*  under a ballot does: any   *)
                                                 (*  function                   *)
  blur : V -> V -> Prop;                         (* what erasure may make of a  *)
  blur_refl : forall v, blur v v;                (*  tombstone (R14): for       *)
                                                 (*  clients the same           *)
  Q : ballot -> (A -> Prop) -> Prop }.           (* phase-2 quorums of a ballot *)

Section Model.
Context {Reg : Register}.

(** ** State *)
Inductive msg :=
| Promise (a : A) (g m : ballot) (v : V) (x : option nat)
     (* a promised g; its last vote was (m,v).  x = None: it said so.  x = Some r:
        it said "no record, my floor's revision is r", and m, v are ghosts     *)
| Propose (c : ballot) (v : V) (p : ballot) (pv : V)
     (* accept request for (c,v); p, pv (ghosts): the parent and what was read  *)
| Vote    (a : A) (b : ballot) (v : V)           (* a accepted (b,v)            *)
| Reply   (a : A) (r : R) (g m : ballot) (v : V) (x : option nat).
     (* answer to one-round read r: promise and last vote; x as in Promise      *)

Inductive event :=
| Inv  (c : ballot)           (* clients submit the operations that will use c  *)
| Ack  (c : ballot) (v : V)   (* they are told: your fold was applied to v      *)
| RInv (r : R)
| RAck (r : R) (b : ballot) (v : V).  (* read r returned v (b is a ghost)       *)

Record state := St {
  prom : A -> ballot;         (* durable, and so is                             *)
  acc  : A -> ballot * V;
  msgs : msg -> Prop;         (* network, ever growing                          *)
  hist : list event }.        (* client history, newest first                   *)

Definition add (m : msg) (M : msg -> Prop) : msg -> Prop := fun x => x = m \/ M x.
Definition upd {X} (f : A -> X) a x := fun a' => if A_dec a a' then x else f a'.
Definition s0 := St (fun _ => zero) (fun _ => (zero, init)) (fun _ => False) [].

Definition chosen s b :=
  b = zero \/ exists q, Q b q /\ (exists a, q a) /\ forall a, q a -> exists v, msgs s (Vote a b v).

(** nothing can ever be chosen at b (any more) *)
Definition blocked s b := forall q, Q b q ->
  exists a g m v x, q a /\ msgs s (Promise a g m v x) /\ m << b /\ b << g.

Definition valof s b v := (b = zero /\ v = init) \/ exists p pv, msgs s (Propose b v p pv).

(** x is earlier than y (histories are kept newest first) *)
Definition Before (h : list event) (x y : event) := exists h1 h2, h = h1 ++ y :: h2 /\ In x h2.
(** e tells a client about ballot b *)
Definition done (e : event) (b : ballot) := (exists v, e = Ack b v) \/ exists r v, e = RAck r b v.

(** ** Steps *)
Inductive step (s : state) : state -> Prop :=
| s_inv c : zero << c -> ~ In (Inv c) (hist s) ->
    step s (St (prom s) (acc s) (msgs s) (Inv c :: hist s))
| s_promise a g x : prom s a << g ->
    step s (St (upd (prom s) a g) (acc s)
               (add (Promise a g (fst (acc s a)) (snd (acc s a)) x) (msgs s)) (hist s))
| s_raise a g : prom s a <<= g ->        (* floors, promises that ride on accepts (R5), lost answers *)
    step s (St (upd (prom s) a g) (acc s) (msgs s) (hist s))
| s_propose c p v pv : In (Inv c) (hist s) ->
    (forall w p' pw, ~ msgs s (Propose c w p' pw)) ->                                  (* R1, R2 *)
    zero << c -> p << c -> valof s p v -> blur v pv ->
    (forall b, p << b -> b << c -> blocked s b) ->
    step s (St (prom s) (acc s) (add (Propose c (chg c pv) p pv) (msgs s)) (hist s))
| s_vote a c v p pv : msgs s (Propose c v p pv) -> prom s a <<= c ->
    step s (St (upd (prom s) a c) (upd (acc s) a (c, v)) (add (Vote a c v) (msgs s)) (hist s))
| s_ack c v p pv : chosen s c -> msgs s (Propose c v p pv) ->
    step s (St (prom s) (acc s) (msgs s) (Ack c pv :: hist s))
| s_rinv r : ~ In (RInv r) (hist s) ->
    step s (St (prom s) (acc s) (msgs s) (RInv r :: hist s))
| s_reply a r x : In (RInv r) (hist s) ->
    step s (St (prom s) (acc s)
               (add (Reply a r (prom s a) (fst (acc s a)) (snd (acc s a)) x) (msgs s)) (hist s))
| s_rack r b v rv : In (RInv r) (hist s) -> (forall b' v', ~ In (RAck r b' v') (hist s)) ->
    chosen s b -> valof s b v -> blur v rv ->
    (forall e b', done e b' -> Before (hist s) e (RInv r) -> b' <<= b) ->  (* see [quorum_read] *)
    step s (St (prom s) (acc s) (msgs s) (RAck r b rv :: hist s)).

Inductive reachable : state -> Prop :=
| r_init : reachable s0
| r_step s s' : reachable s -> step s s' -> reachable s'.

(** [b] lies on the chain of parents that leads up to the other ballot *)
Inductive anc s (b : ballot) : ballot -> Prop :=
| anc_refl : anc s b b
| anc_step c v p pv : msgs s (Propose c v p pv) -> anc s b p -> anc s b c.

(** ** What linearizable means *)

(** An operation together with what it returned: a fold applied to [pv], or
    a read that returned [v].  [legal v l]: executing [l] one by one on a plain
    register that holds [v] gives exactly these results; an erased tombstone
    may lose what no client sees. *)
Inductive op := OW (c : ballot) (pv : V) | OR (r : R) (v : V).
Fixpoint legal (v : V) (l : list op) : Prop :=
  match l with
  | [] => True
  | OW c pv :: l => blur v pv /\ legal (chg c pv) l
  | OR r rv :: l => blur v rv /\ legal v l
  end.
Definition precedes {X} (l : list X) (x y : X) := exists l1 l2, l = l1 ++ x :: l2 /\ In y l2.

Definition response (o : op) (e : event) :=
  match o with OW c pv => e = Ack c pv | OR r v => exists b, e = RAck r b v end.
Definition invocation (o : op) (e : event) :=
  match o with OW c _ => e = Inv c | OR r _ => e = RInv r end.
Definition op_id (o : op) : ballot + R := match o with OW c _ => inl c | OR r _ => inr r end.

(** Herlihy-Wing, one object *)
Definition linearizable (h : list event) := exists l : list op,
  legal init l
  /\ NoDup (map op_id l)
  /\ (forall o e, response o e -> In e h -> In o l)              (* all completed ones  *)
  /\ (forall o, In o l -> exists e, invocation o e /\ In e h)    (* plus some pending   *)
  /\ (forall o1 o2 e1 e2, response o1 e1 -> invocation o2 e2 ->  (* real-time order     *)
        Before h e1 e2 -> In o2 l -> precedes l o1 o2).

End Model.
