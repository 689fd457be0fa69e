(** Membership by joint consensus, the node-wide fence and floor, erasure: the
    model (PROTOCOL, Membership, Deletion and space; R6, R11-R14), for one key.
    The invariant and the theorems are in MembersSafe.v and MembersTheorem.v.

    How to read it.  What epoch e means is given: [old e], [new e], and [surv e],
    the set that goes on after e (that all nodes agree on it is Config.v).  A
    node's own epoch is the epoch of its highest promise, and it takes part in
    rounds and reads of that epoch only (R11).  [m_install] is the fence: one
    promise for every key; here is this key's part of it.  The floor [fl a] is
    shared by all keys of node a, so it may rise at any time ([m_floor]).

    [lo e] is the last joint epoch before e that was completed (0 if none): all
    that was chosen in older ones was carried over to it, or is absent for good.
    So a change that was abandoned, or was resumed by another coordinator, needs
    nothing special.  [settled l]: this key's part in joint epoch l is over,
    because some ballot of l is chosen (by an identity round or by a client's),
    or because a majority of the old set, having installed l, does not list it.

    What a node answers: [answer] is [None] where it shows its record, and
    [Some r] where it says "no record, my floor's revision is r": it never had
    one, or erased it, or entered again since ([since]) and so dropped it. *)
From Coq Require Import List Arith Lia Bool.
From Synod Require Import Ballot Model.
Import ListNotations.

Class Membership := {
  Reg :> Register;
  absent : V -> Prop;
  revision : V -> nat;
  absentV : nat -> V;                            (* absent, erased at this revision *)
  init_absent : absent init;
  init_revision : revision init = 0;
  blur_absent : forall v r, absent v -> revision v <= r -> blur v (absentV r);
  repoch : R -> nat;                             (* the epoch a read runs in     *)
  Sets : Type;
  isin : Sets -> A -> Prop;
  Maj : Sets -> (A -> Prop) -> Prop;
  Maj_meet : forall S q q', Maj S q -> Maj S q' -> exists a, isin S a /\ q a /\ q' a;
  old : nat -> Sets; new : nat -> Sets; surv : nat -> Sets;
  lo : nat -> nat;
  since : A -> nat -> nat;                       (* the epoch in which it last entered, as of an epoch *)
  lo_zero : lo 0 = 0;
  lo_lt : forall e, 0 < e -> lo e < e;
  surv_here : forall e, surv e = old e \/ surv e = new e;
  surv_lo : forall e e', lo e <= e' <= e -> surv e' = old e \/ surv e' = new e;
  old_lo : forall l e, Nat.odd l = true -> lo l <= e < l -> surv e = old l;
  since_in : forall a e e', lo e <= e' <= e -> isin (surv e') a -> since a e <= e';
  since_out : forall a j e, j < e -> isin (old e) a \/ isin (new e) a ->
    ~ (isin (old j) a \/ isin (new j) a) -> j < since a e;
  isin_dec : forall S a, isin S a \/ ~ isin S a;
  Q_is : forall b q, Q b q <-> Maj (surv (ep b)) q }.

Section Members.
Context {Mem : Membership}.

Definition member e a := isin (old e) a \/ isin (new e) a.
(** a quorum of epoch e: a majority of each set; who is in both counts in each *)
Definition quorum e (q : A -> Prop) := Maj (old e) q /\ Maj (new e) q.

Record mst := M_ {
  co : state;                   (* Model.v                                        *)
  K : nat -> Prop;              (* joint epochs in which this key is settled      *)
  gone : A -> bool;             (* the record was erased; in [co] it is a ghost   *)
  fl : A -> nat;                (* the floor's revision (R14)                     *)
  told : A -> nat -> nat -> Prop;  (* told a l f: having installed l, a gave its floor, f *)
  joined : A -> nat -> Prop }.  (* it has raised its floor for joint epoch l      *)

Definition opened (K : nat -> Prop) e := lo e = 0 \/ K (lo e).
Definition answer (s : state) G (F : A -> nat) a e : option nat :=
  if beq (fst (acc s a)) zero || G a || (ep (fst (acc s a)) <? since a e) then Some (F a) else None.

(** all members of t's epoch have accepted t, and t is a tombstone (v) *)
Definition full (s : state) t := forall a, member (ep t) a -> exists w, msgs s (Vote a t w).
Definition tomb (s : state) t v := (t = zero /\ v = init) \/
  (zero << t /\ chosen s t /\ valof s t v /\ absent v /\ full s t).

(** what the proposer of c sees, and what it takes for the base *)
Definition sees (s : state) c p pv (q : list A) :=
  ((exists a, In a q /\ msgs s (Promise a c p pv None)) /\
   (forall a, In a q -> member (ep c) a /\ exists m v x, msgs s (Promise a c m v x) /\ (x = None -> m <<= p)))
  \/ (p = zero /\ exists r, pv = absentV r /\
   (forall a, In a q -> member (ep c) a /\ exists m v f, msgs s (Promise a c m v (Some f)) /\ f <= r)).
(** R6; the ballot's own epoch must have this quorum too, else it takes a full round *)
Definition rsees (s : state) r b v (q : list A) :=
  (b <> zero /\ Q b (fun a => In a q) /\ (exists a, In a q) /\
   forall a, In a q -> member (repoch r) a /\ exists g, msgs s (Reply a r g b v None)) \/
  (exists R, v = absentV R /\ forall a, In a q -> member (repoch r) a /\
     exists g m w f, msgs s (Reply a r g m w (Some f)) /\ f <= R).
(** ghosts: the true parent, and where a read belongs; [ghosts_exist] *)
Definition parent (s : state) c pv p v := valof s p v /\ blur v pv /\ p << c /\
  forall b, p << b -> b << c -> blocked s b.
Definition covers (s : state) r b w v := chosen s b /\ valof s b w /\ blur w v /\
  forall e b'', done e b'' -> Before (hist s) e (RInv r) -> b'' <<= b.

Inductive mstep : mst -> mst -> Prop :=
| m_inv s K G F T J c : zero << c -> ~ In (Inv c) (hist s) ->
    mstep (M_ s K G F T J) (M_ (St (prom s) (acc s) (msgs s) (Inv c :: hist s)) K G F T J)
| m_install s K G F T J a e : ep (prom s a) < e -> opened K e ->                       (* R11 *)
    mstep (M_ s K G F T J) (M_ (St (upd (prom s) a (fence e)) (acc s)
      (add (Promise a (fence e) (fst (acc s a)) (snd (acc s a)) (answer s G F a e)) (msgs s)) (hist s)) K G F T J)
| m_promise s K G F T J a g : ep g = ep (prom s a) -> prom s a << g ->
    mstep (M_ s K G F T J) (M_ (St (upd (prom s) a g) (acc s)
      (add (Promise a g (fst (acc s a)) (snd (acc s a)) (answer s G F a (ep g))) (msgs s)) (hist s)) K G F T J)
| m_raise s K G F T J a g : ep g = ep (prom s a) -> prom s a <<= g ->                  (* R5, lost answers *)
    mstep (M_ s K G F T J) (M_ (St (upd (prom s) a g) (acc s) (msgs s) (hist s)) K G F T J)
| m_propose s K G F T J c p pv q p' v' : In (Inv c) (hist s) ->
    (forall w p0 pw, ~ msgs s (Propose c w p0 pw)) -> zero << c ->                     (* R1, R2 *)
    quorum (ep c) (fun a => In a q) -> sees s c p pv q -> parent s c pv p' v' ->
    mstep (M_ s K G F T J)
      (M_ (St (prom s) (acc s) (add (Propose c (chg c pv) p' pv) (msgs s)) (hist s)) K G F T J)
| m_vote s K G F T J a c v p pv : msgs s (Propose c v p pv) -> prom s a <<= c ->
    ep c = ep (prom s a) -> member (ep c) a ->
    mstep (M_ s K G F T J) (M_ (St (upd (prom s) a c) (upd (acc s) a (c, v)) (add (Vote a c v) (msgs s)) (hist s))
      K (upd G a false) F T J)
| m_ack s K G F T J c v p pv : chosen s c -> msgs s (Propose c v p pv) ->
    mstep (M_ s K G F T J) (M_ (St (prom s) (acc s) (msgs s) (Ack c pv :: hist s)) K G F T J)
| m_rinv s K G F T J r : ~ In (RInv r) (hist s) ->
    mstep (M_ s K G F T J) (M_ (St (prom s) (acc s) (msgs s) (RInv r :: hist s)) K G F T J)
| m_reply s K G F T J a r : In (RInv r) (hist s) -> ep (prom s a) = repoch r ->        (* R11 *)
    mstep (M_ s K G F T J) (M_ (St (prom s) (acc s)
      (add (Reply a r (prom s a) (fst (acc s a)) (snd (acc s a)) (answer s G F a (repoch r))) (msgs s)) (hist s))
      K G F T J)
| m_rack s K G F T J r b v q b' w : In (RInv r) (hist s) -> (forall b' v', ~ In (RAck r b' v') (hist s)) ->
    quorum (repoch r) (fun a => In a q) -> rsees s r b v q -> covers s r b' w v ->
    mstep (M_ s K G F T J) (M_ (St (prom s) (acc s) (msgs s) (RAck r b' v :: hist s)) K G F T J)
| m_floor s K G F T J a n : F a <= n ->
    mstep (M_ s K G F T J) (M_ s K G (upd F a n) T J)
| m_erase s K G F T J a : tomb s (fst (acc s a)) (snd (acc s a)) ->                    (* R13: that very ballot *)
    Nat.even (ep (fst (acc s a))) = true -> ep (prom s a) = ep (fst (acc s a)) ->      (*  own epoch, stable     *)
    mstep (M_ s K G F T J) (M_ s K (upd G a true) (upd F a (max (F a) (revision (snd (acc s a))))) T J)  (* R14 *)
| m_tell s K G F T J a l : l = ep (prom s a) ->
    mstep (M_ s K G F T J) (M_ s K G F (fun a' l' f => (a' = a /\ l' = l /\ f = F a) \/ T a' l' f) J)
| m_join s K G F T J a l q : Maj (old l) q -> (forall a', q a' -> exists f, T a' l f /\ f <= F a) ->
    mstep (M_ s K G F T J) (M_ s K G F T (fun a' l' => (a' = a /\ l' = l) \/ J a' l'))
| m_settle_value s K G F T J l f : ~ K l -> ep f = l -> 0 < l -> chosen s f ->
    mstep (M_ s K G F T J) (M_ s (fun l' => l' = l \/ K l') G F T J)
| m_settle_absent s K G F T (J : A -> nat -> Prop) l r q q2 : ~ K l -> Nat.odd l = true -> repoch r = l ->
    Maj (old l) (fun a => In a q) ->
    (forall a, In a q -> exists g m v f, msgs s (Reply a r g m v (Some f))) ->
    Maj (surv l) q2 -> (forall a, q2 a -> J a l) ->
    mstep (M_ s K G F T J) (M_ s (fun l' => l' = l \/ K l') G F T J).

Inductive mreachable : mst -> Prop :=
| mr_init : mreachable (M_ s0 (fun _ => False) (fun _ => false) (fun _ => 0) (fun _ _ _ => False) (fun _ _ => False))
| mr_step x y : mreachable x -> mstep x y -> mreachable y.

(** every step is a step of Model.v, or none *)
Lemma refines x y : mstep x y -> step (co x) (co y) \/ co y = co x.
Proof.
  destruct 1; cbn; auto; left.
  - apply s_inv; auto.
  - apply s_promise. apply fence_lt; auto.
  - apply s_promise; auto.
  - apply s_raise; auto.
  - match goal with P : parent _ _ _ _ _ |- _ => destruct P as (? & ? & ? & ?) end. eapply s_propose; eauto.
  - eapply s_vote; eauto.
  - eapply s_ack; eauto.
  - apply s_rinv; auto.
  - apply s_reply; auto.
  - match goal with P : covers _ _ _ _ _ |- _ => destruct P as (? & ? & ? & ?) end. eapply s_rack; eauto.
Qed.

(** ** The invariant *)
Definition erased s m v f := tomb s m v /\ Nat.even (ep m) = true /\ revision v <= f.
(** every quorum of epoch e has a member that has installed a later one *)
Definition fenced (s : state) e := forall q, quorum e q -> exists a, q a /\ e < ep (prom s a).

Definition by_value (s : state) l := exists f qf, ep f = l /\ Maj (surv l) qf /\
  forall a, qf a -> (exists v, msgs s (Vote a f v)) /\
    forall r g m v x, msgs s (Reply a r g m v x) -> lo (ep g) = l -> f <<= m.
Definition by_absence (s : state) F T l := exists t w q2, tomb s t w /\ ep t < l /\
  (forall b, t << b -> ep b < l -> blocked s b) /\
  (forall a, member (ep t) a -> t <> zero ->
     forall r g m v x, msgs s (Reply a r g m v x) -> lo (ep g) = l -> t <<= m) /\
  Maj (surv l) q2 /\ forall a, q2 a -> revision w <= F a /\
    (forall g m v f, msgs s (Promise a g m v (Some f)) -> lo (ep g) = l -> revision w <= f) /\
    (forall r g m v f, msgs s (Reply a r g m v (Some f)) -> lo (ep g) = l -> revision w <= f) /\
    (forall l' f, T a l' f -> lo l' = l -> revision w <= f).

Record Inv_ (x : mst) : Prop := {
  v_gone  : forall a, gone x a = true -> erased (co x) (fst (acc (co x) a)) (snd (acc (co x) a)) (fl x a);
  v_prom  : forall a g m v f, msgs (co x) (Promise a g m v (Some f)) ->
              f <= fl x a /\ (erased (co x) m v f \/ ep m < since a (ep g));
  v_shown : forall a g m v, msgs (co x) (Promise a g m v None) -> m <> zero /\ since a (ep g) <= ep m;
  v_reply : forall a r g m v f, msgs (co x) (Reply a r g m v (Some f)) ->
              f <= fl x a /\ (erased (co x) m v f \/ ep m < since a (ep g));
  v_seen  : forall a r g m v, msgs (co x) (Reply a r g m v None) -> m <> zero /\ since a (ep g) <= ep m;
  v_repoch : forall a r g m v y, msgs (co x) (Reply a r g m v y) -> ep g = repoch r /\ g <<= prom (co x) a /\ m <<= g /\
              (forall b w, msgs (co x) (Vote a b w) -> b <<= m \/ g <<= b) /\
              (forall g' m' v' y', msgs (co x) (Promise a g' m' v' y') -> g' <<= g -> m' <<= m);
  v_epoch : forall a, opened (K x) (ep (prom (co x) a));
  v_popen : forall a g m v y, msgs (co x) (Promise a g m v y) -> opened (K x) (ep g);
  v_fence : forall a, 0 < ep (prom (co x) a) -> exists m v y,
              msgs (co x) (Promise a (fence (ep (prom (co x) a))) m v y);
  v_rfence : forall a r g m v y, msgs (co x) (Reply a r g m v y) -> 0 < ep g -> exists m v y,
              msgs (co x) (Promise a (fence (ep g)) m v y);
  v_memb  : forall a b v, msgs (co x) (Vote a b v) -> member (ep b) a;
  v_told  : forall a l f, told x a l f -> l <= ep (prom (co x) a) /\ f <= fl x a /\ opened (K x) l /\
              (gone x a = true -> ep (fst (acc (co x) a)) < l -> revision (snd (acc (co x) a)) <= f) /\
              (forall r g m v f', msgs (co x) (Reply a r g m v (Some f')) -> l <= ep g -> ep m < l ->
                 since a (ep g) <= ep m -> revision v <= f);
  v_joined : forall a l, joined x a l -> exists q, Maj (old l) q /\
              forall a', q a' -> exists f, told x a' l f /\ f <= fl x a;
  v_settled : forall l, K x l -> 0 < l /\ (forall e, e < l -> fenced (co x) e) /\
              (by_value (co x) l \/ by_absence (co x) (fl x) (told x) l);
  v_cross : forall c v p pv, msgs (co x) (Propose c v p pv) -> forall e, e < ep c -> fenced (co x) e;
  v_rcross : forall y b r, done y b -> Before (hist (co x)) y (RInv r) -> forall e q, e < ep b -> quorum e q ->
              exists a, q a /\ e < ep (prom (co x) a) /\
                forall g m v z, msgs (co x) (Reply a r g m v z) -> e < ep g }.
End Members.
