(** Negative control for the configuration register: if a coordinator of epoch n
    may put a successor in the place of a cell that is itself of epoch n+1 (the CAS
    does not compare the epoch), two configurations of one epoch are chosen.
    [Config.agreement] says that with the comparison this cannot be. *)
From Coq Require Import List Arith Lia.
From Synod Require Import Ballot Config.
Import ListNotations.

(** three nodes, and majorities of them in every configuration; a configuration is its epoch and a name *)
Definition node := nat.
Definition conf := (nat * nat)%type.
Definition quorum (_ : conf) (q : node -> Prop) := exists a b, a <> b /\ a < 3 /\ b < 3 /\ q a /\ q b.
Definition next (c d : conf) := fst d = fst c + 1.
Definition first : conf := (0, 0).
Lemma meet c q q' : quorum c q -> quorum c q' -> exists a, q a /\ q' a.
Proof.
  intros (a & b & N & La & Lb & Qa & Qb) (a' & b' & N' & La' & Lb' & Qa' & Qb').
  assert (D : a = a' \/ a = b' \/ b = a' \/ b = b') by lia. destruct D as [->|[->|[->| ->]]]; eauto.
Qed.
Notation state := (Config.state node conf).
Notation St := (Config.St node conf).
Notation msg := (Config.msg node conf).
Notation known := (Config.known node conf fst quorum first).
Notation upd := (Config.upd node Nat.eq_dec).
Notation add := (Config.add node conf).

(** [step_ cas]: Config.v's steps, with [cas] for what a proposer makes of the cell that it found *)
Inductive step_ (cas : conf -> conf -> conf -> Prop) (s : state) : state -> Prop :=
| x_promise a g : ep g = fst (inst _ _ s a) -> prom _ _ s a << g ->
    step_ cas s (St (upd (prom _ _ s) a g) (acc _ _ s) (inst _ _ s)
      (add (Promise _ _ a g (fst (acc _ _ s a)) (snd (acc _ _ s a))) (msgs _ _ s)))
| x_propose n b (q : node -> Prop) p w v : zero << b -> ep b = fst (inst _ _ s n) ->
    (forall v', ~ msgs _ _ s (Propose _ _ b v')) -> quorum (inst _ _ s n) q -> p << b ->
    (forall a, q a -> exists m u, msgs _ _ s (Promise _ _ a b m u) /\ m <<= p) ->
    ((p = zero /\ w = first) \/ exists a, q a /\ msgs _ _ s (Promise _ _ a b p w)) ->
    cas (inst _ _ s n) w v ->
    step_ cas s (St (prom _ _ s) (acc _ _ s) (inst _ _ s) (add (Propose _ _ b v) (msgs _ _ s)))
| x_vote a b v : msgs _ _ s (Propose _ _ b v) -> prom _ _ s a <<= b -> ep b = fst (inst _ _ s a) ->
    step_ cas s (St (upd (prom _ _ s) a b) (upd (acc _ _ s) a (b, v)) (inst _ _ s)
      (add (Vote _ _ a b v) (msgs _ _ s))).
Inductive reach (cas : conf -> conf -> conf -> Prop) : state -> Prop :=
| x_init : reach cas (Config.s0 _ _ first)
| x_step s s' : reach cas s -> step_ cas s s' -> reach cas s'.

(** with the comparison these are steps of Config.v, so [agreement] holds of them *)
Lemma with_epochs s : reach (Config.cas _ fst next) s -> Config.reachable _ _ Nat.eq_dec fst quorum next first s.
Proof.
  induction 1 as [|s s' _ IH S]; [constructor|]. econstructor; [exact IH|].
  destruct S; [eapply c_promise|eapply c_propose|eapply c_vote]; eauto.
Qed.
Theorem with_epochs_agreement s c d : reach (Config.cas _ fst next) s ->
  known (msgs _ _ s) c -> known (msgs _ _ s) d -> fst c = fst d -> c = d.
Proof.
  intros R. apply (Config.agreement node conf Nat.eq_dec fst quorum next first meet eq_refl s c d (with_epochs s R)).
Qed.

(** the run, step by step *)
Definition promise (s : state) a g : state := St (upd (prom _ _ s) a g) (acc _ _ s) (inst _ _ s)
  (add (Promise _ _ a g (fst (acc _ _ s a)) (snd (acc _ _ s a))) (msgs _ _ s)).
Definition propose (s : state) b v : state := St (prom _ _ s) (acc _ _ s) (inst _ _ s)
  (add (Propose _ _ b v) (msgs _ _ s)).
Definition vote (s : state) a b v : state := St (upd (prom _ _ s) a b) (upd (acc _ _ s) a (b, v)) (inst _ _ s)
  (add (Vote _ _ a b v) (msgs _ _ s)).
Definition b1 : ballot := (0, (1, 1)).
Definition b2 : ballot := (0, (2, 2)).
Definition s1 := promise (promise (Config.s0 _ _ first) 0 b1) 1 b1.
Definition s2 := propose s1 b1 (1, 1).
Definition s3 := vote (vote s2 0 b1 (1, 1)) 1 b1 (1, 1).
Definition s4 := promise (promise s3 1 b2) 2 b2.
Definition s5 := propose s4 b2 (1, 2).
Definition s6 := vote (vote s5 1 b2 (1, 2)) 2 b2 (1, 2).
Notation any := (fun c _ d : conf => next c d).
Ltac less := apply Ballot.lt_less; vm_compute; intuition lia.
Ltac at_most := apply Ballot.le_lteq; first [right; vm_compute; reflexivity|left; less].

Lemma reach3 : reach any s3.
Proof.
  assert (R1 : reach any s1).
  { apply x_step with (s := promise (Config.s0 _ _ first) 0 b1); [apply x_step with (s := Config.s0 _ _ first)|].
    - apply x_init.
    - apply (x_promise any _ 0 b1); [reflexivity|less].
    - apply (x_promise any _ 1 b1); [reflexivity|less]. }
  assert (R2 : reach any s2).
  { eapply x_step; [exact R1|]. apply (x_propose any s1 0 b1 (fun a => a < 2) zero first (1, 1)).
    - less.
    - reflexivity.
    - intros v'. cbv -[not b1 zero first]. intros [X|[X|[]]]; discriminate X.
    - exists 0, 1. repeat split; lia.
    - less.
    - intros a L. exists zero, first. split; [|at_most].
      destruct a as [|[|a]]; [right; left; reflexivity|left; reflexivity|lia].
    - left; auto.
    - reflexivity. }
  apply x_step with (s := vote s2 0 b1 (1, 1)); [apply x_step with (s := s2); [exact R2|]|].
  - apply (x_vote any s2 0 b1 (1, 1)); [left; reflexivity|at_most|reflexivity].
  - apply (x_vote any _ 1 b1 (1, 1)); [right; left; reflexivity|at_most|reflexivity].
Qed.
Lemma reach6 : reach any s6.
Proof.
  assert (R4 : reach any s4).
  { apply x_step with (s := promise s3 1 b2); [apply x_step with (s := s3); [exact reach3|]|].
    - apply (x_promise any s3 1 b2); [reflexivity|less].
    - apply (x_promise any _ 2 b2); [reflexivity|less]. }
  assert (R5 : reach any s5).
  { eapply x_step; [exact R4|].
    apply (x_propose any s4 2 b2 (fun a => a = 1 \/ a = 2) b1 (1, 1) (1, 2)).
    - less.
    - reflexivity.
    - intros v' X. repeat (destruct X as [X|X]; [discriminate X|]). exact X.
    - exists 1, 2. repeat split; auto; lia.
    - less.
    - intros a [->| ->].
      + exists b1, (1, 1). split; [right; left; reflexivity|at_most].
      + exists zero, first. split; [left; reflexivity|at_most].
    - right. exists 1. split; [auto|right; left; reflexivity].
    - reflexivity. }
  apply x_step with (s := vote s5 1 b2 (1, 2)); [apply x_step with (s := s5); [exact R5|]|].
  - apply (x_vote any s5 1 b2 (1, 2)); [left; reflexivity|at_most|reflexivity].
  - apply (x_vote any _ 2 b2 (1, 2)); [right; left; reflexivity|at_most|reflexivity].
Qed.
(** nodes 0 and 1 choose (1, 1); then nodes 1 and 2, still in epoch 0, find it, and choose (1, 2) *)
Theorem without_epochs_no_agreement : exists s, reach any s /\
  known (msgs _ _ s) (1, 1) /\ known (msgs _ _ s) (1, 2).
Proof.
  exists s6. split; [exact reach6|split].
  - apply (k_chosen _ _ _ _ _ _ b1 (fun a => a < 2) first (1, 1));
      [constructor|reflexivity|exists 0, 1; repeat split; lia| |reflexivity].
    intros a L. do 5 right. destruct a as [|[|a]]; [right; left; reflexivity|left; reflexivity|lia].
  - apply (k_chosen _ _ _ _ _ _ b2 (fun a => a = 1 \/ a = 2) first (1, 2));
      [constructor|reflexivity|exists 1, 2; repeat split; auto; lia| |reflexivity].
    intros a [->| ->]; [right; left; reflexivity|left; reflexivity].
Qed.
