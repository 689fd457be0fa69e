(** Revisions, and what clients are told: Cell.v on top of the rounds of Model.v.

    The history of a register is the list of everything placed on the chain of
    parents ([trace]).  Proved of every reachable state:

    - [revisions_never_repeat] (R9, R14): two different changes that were
      acknowledged have different revisions, across erasure too;
    - [revisions_grow]: they grow along real time;
    - [at_most_once] (R7, R9): an operation is placed at most once;
    - [applied_is_true], [replayed_is_true], [settled_is_true]: who hears
      "applied, revision r" hears the truth, for good;
    - [not_applied_is_true] (R7, R8): who hears "condition false" hears the truth,
      for good, if nobody tries the operation again;
    - [dead_is_true] (R8): what settle called dead was not applied and never will
      be, as long as its mark is left in place.

    The two disciplines of proposers stand as hypotheses where they are needed:
    [R7] (a request's [lo] is at most the revision of any attempt beneath it) and
    [R8] (settle is asked with a revision known before the operation was sent). *)
From Coq Require Import List Arith Lia.
From Synod Require Import Ballot Model Safety History Cell.
Import ListNotations.

(** A register of cells; [fold_of b] is what is submitted under ballot [b]. *)
Class Cells := {
  Vals : Values;
  Node : Type; ReadId : Type;
  Node_dec : forall a b : Node, {a = b} + {a <> b};
  fold_of : ballot -> list (@request Vals);
  Quorums : ballot -> (Node -> Prop) -> Prop }.
#[global] Existing Instance Vals.
Lemma blurs_refl {Val : Values} c : blurs c c.
Proof. left; auto. Qed.
#[global] Instance cells_register {C : Cells} : Register := {|
  A := Node; V := cell; R := ReadId; A_dec := Node_dec; init := absentAt 0;
  chg := fun b => change (fold_of b); blur := blurs; blur_refl := blurs_refl; Q := Quorums |}.

Section Once.
Context {C : Cells}.
Notation history := (list (nat * (Id * Eff))).

Inductive trace (s : state) : ballot -> history -> Prop :=
| tr_zero : trace s zero []
| tr_step c v p pv H : msgs s (Propose c v p pv) -> trace s p H -> trace s c (placed (fold_of c) pv ++ H).

Definition R7 (s : state) := forall c v p pv H, msgs s (Propose c v p pv) -> trace s p H ->
  forall q, In q (fold_of c) -> knows q H.
Definition R8 (s : state) := forall c v p pv, msgs s (Propose c v p pv) ->
  forall q, In q (fold_of c) -> forall b H, trace s b H -> fair q H.

Lemma trace_good s b H : Safe s -> trace s b H -> exists v, valof s b v /\ Good H v.
Proof.
  intros I; induction 1 as [|c v p pv H M T (v0 & V0 & G)].
  - exists init; split; [left; auto|apply good_absent].
  - destruct (i_prop _ I _ _ _ _ M) as (_ & _ & _ & (-> & v1 & V1 & Bl) & _).
    rewrite (valof_uniq _ _ _ _ I V1 V0) in Bl.
    exists (chg c pv); split; [right; eauto|]. apply good_change. eapply good_blur; eauto.
Qed.
Lemma trace_base s c v p pv H : Safe s -> msgs s (Propose c v p pv) -> trace s p H -> Good H pv.
Proof.
  intros I M T. destruct (trace_good _ _ _ I T) as (v0 & V0 & G).
  destruct (i_prop _ I _ _ _ _ M) as (_ & _ & _ & (_ & v1 & V1 & Bl) & _).
  rewrite (valof_uniq _ _ _ _ I V1 V0) in Bl. eapply good_blur; eauto.
Qed.
Lemma trace_exists s b : Safe s -> known s b -> exists H, trace s b H.
Proof.
  intros I. induction b as [b IH] using (well_founded_ind lt_wf). intros [->|(v & p & pv & M)].
  - exists []; constructor.
  - destruct (IH p) as [H T]; [apply (i_prop _ I _ _ _ _ M)|eapply parent_known; eauto|].
    eexists; econstructor; eauto.
Qed.
Lemma trace_step s c v p pv H : Safe s -> msgs s (Propose c v p pv) -> trace s c H ->
  exists H0, trace s p H0 /\ H = placed (fold_of c) pv ++ H0.
Proof.
  intros I M T. inversion T as [|c' v' p' pv' H0 M' T']; subst.
  - destruct (i_prop _ I _ _ _ _ M) as (X & _). order.
  - destruct (i_uniq _ I _ _ _ _ _ _ _ M M') as (_ & -> & ->). eauto.
Qed.
Lemma trace_uniq s b H H' : Safe s -> trace s b H -> trace s b H' -> H = H'.
Proof.
  intros I T; revert H'. induction T as [|c v p pv H M T IH]; intros H' T'.
  - inversion T' as [|c v p pv H M T]; subst; auto. destruct (i_prop _ I _ _ _ _ M) as (X & _); order.
  - destruct (trace_step _ _ _ _ _ _ I M T') as (H0 & T0 & ->). rewrite (IH _ T0); auto.
Qed.
Lemma trace_anc s a b Ha Hb : Safe s -> anc s a b -> trace s a Ha -> trace s b Hb -> exists H, Hb = H ++ Ha.
Proof.
  intros I An; revert Hb; induction An as [|c v p pv M An IH]; intros Hb Ta Tb.
  - rewrite (trace_uniq _ _ _ _ I Tb Ta). exists []; auto.
  - destruct (trace_step _ _ _ _ _ _ I M Tb) as (H0 & T0 & ->). destruct (IH _ Ta T0) as [H ->].
    eexists; apply app_assoc.
Qed.
Lemma trace_in s b H x : trace s b H -> In x H ->
  exists c v p pv, anc s c b /\ msgs s (Propose c v p pv) /\ In x (placed (fold_of c) pv).
Proof.
  induction 1 as [|c v p pv H M T IH]; cbn; [tauto|]. rewrite in_app_iff. intros [J|J].
  - exists c, v, p, pv; repeat split; auto. constructor.
  - destruct (IH J) as (c' & v' & p' & pv' & An & M' & J'). exists c', v', p', pv'; repeat split; auto.
    econstructor; eauto.
Qed.

(** ** Revisions *)
Lemma chain_revisions s c v p pv c' v' p' pv' r x r' x' : Safe s ->
  msgs s (Propose c v p pv) -> msgs s (Propose c' v' p' pv') -> anc s c c' -> c <> c' ->
  In (r, x) (placed (fold_of c) pv) -> In (r', x') (placed (fold_of c') pv') -> r < r'.
Proof.
  intros I M M' An Ne J J'. inversion An as [|? v1 p1 pv1 M1 An1]; subst; [congruence|].
  destruct (i_uniq _ I _ _ _ _ _ _ _ M' M1) as (_ & <- & <-).
  destruct (trace_exists s p' I) as [H' T']; [eapply parent_known; eauto|].
  destruct (trace_exists s c I) as [H T]; [right; eauto|].
  destruct (trace_anc _ _ _ _ _ I An1 T T') as [H1 ->].
  destruct (trace_step _ _ _ _ _ _ I M T) as (H0 & _ & ->).
  pose proof (g_below _ _ (trace_base _ _ _ _ _ _ I M' T') r x) as Lo.
  pose proof (placed_above _ _ _ _ J'). rewrite !in_app_iff in Lo. specialize (Lo (or_intror (or_introl J))). lia.
Qed.

Theorem revisions_never_repeat s c pv c' pv' r x x' : reachable s ->
  In (Ack c pv) (hist s) -> In (Ack c' pv') (hist s) ->
  In (r, x) (placed (fold_of c) pv) -> In (r, x') (placed (fold_of c') pv') -> c = c' /\ x = x'.
Proof.
  intros RR K K' J J'. pose proof (safe_reachable _ RR) as I. pose proof (hist_reachable _ RR) as HH.
  destruct (h_ack _ HH _ _ K) as (Ch & v & p & M). destruct (h_ack _ HH _ _ K') as (Ch' & v' & p' & M').
  destruct (ballot_dec c c') as [<-|Ne].
  - split; auto. destruct (i_uniq _ I _ _ _ _ _ _ _ M M') as (_ & <- & <-).
    destruct (trace_exists s c I) as [H T]; [right; eauto|].
    destruct (trace_step _ _ _ _ _ _ I M T) as (H0 & _ & ->).
    destruct (trace_good _ _ _ I T) as (w & _ & G). pose proof (g_revs _ _ G) as N.
    assert (In (r, x) (placed (fold_of c) pv ++ H0)) as X by (apply in_app_iff; auto).
    assert (In (r, x') (placed (fold_of c) pv ++ H0)) as X' by (apply in_app_iff; auto).
    clear -N X X'. induction (placed (fold_of c) pv ++ H0) as [|[r0 y] l IH]; cbn in *; [tauto|].
    inversion N as [|? ? N1 N2]; subst.
    destruct X as [E|X], X' as [E'|X']; try congruence; try (exfalso; apply N1; apply in_map_iff;
      inversion E || inversion E'; subst; eauto using in_map_iff; fail); auto.
    + inversion E; subst. exfalso; apply N1. apply in_map_iff; exists (r, x'); auto.
    + inversion E'; subst. exfalso; apply N1. apply in_map_iff; exists (r, x); auto.
  - exfalso. destruct (lt_or_le c c') as [L|L].
    + assert (An : anc s c c') by (eapply descent; eauto; [right; eauto|order]).
      pose proof (chain_revisions _ _ _ _ _ _ _ _ _ _ _ _ _ I M M' An Ne J J'); lia.
    + assert (An : anc s c' c) by (eapply descent; eauto; right; eauto).
      pose proof (chain_revisions _ _ _ _ _ _ _ _ _ _ _ _ _ I M' M An (fun E => Ne (eq_sym E)) J' J); lia.
Qed.

Theorem revisions_grow s c pv c' pv' r x r' x' : reachable s ->
  Before (hist s) (Ack c pv) (Inv c') -> In (Ack c' pv') (hist s) ->
  In (r, x) (placed (fold_of c) pv) -> In (r', x') (placed (fold_of c') pv') -> r < r'.
Proof.
  intros RR K K' J J'. pose proof (safe_reachable _ RR) as I. pose proof (hist_reachable _ RR) as HH.
  destruct (h_ack _ HH _ _ (proj2 (before_in _ _ _ K))) as (Ch & v & p & M).
  destruct (h_ack _ HH _ _ K') as (Ch' & v' & p' & M').
  assert (NA : ~ anc s c' c) by (eapply (h_write _ HH); [left; eauto|exact K]).
  assert (c <> c') by (intros ->; apply NA; constructor).
  assert (An : anc s c c').
  { destruct (lt_or_le c c') as [L|L]; [eapply descent; eauto; [right; eauto|order]|].
    exfalso; apply NA. eapply descent; eauto. right; eauto. }
  eapply chain_revisions; [exact I|exact M|exact M'|..]; eauto.
Qed.

(** ** At most once *)
Theorem at_most_once s b H : reachable s -> R7 s -> trace s b H -> NoDup (ids H).
Proof.
  intros RR D T. pose proof (safe_reachable _ RR) as I.
  induction T as [|c v p pv H M T IH]; [constructor|].
  apply change_once; auto; [eapply trace_base; eauto|]. intros q J. eapply D; eauto.
Qed.

(** ** What clients are told *)
Definition told (c : ballot) pv n q (v : verdict) :=
  nth_error (fold_of c) n = Some q /\ nth_error (snd (run (fold_of c) pv)) n = Some v.

Lemma ack_trace s c pv : reachable s -> In (Ack c pv) (hist s) ->
  chosen s c /\ exists v p H, msgs s (Propose c v p pv) /\ trace s p H /\ Good H pv.
Proof.
  intros RR K. pose proof (safe_reachable _ RR) as I.
  destruct (h_ack _ (hist_reachable _ RR) _ _ K) as (Ch & v & p & M). split; auto.
  destruct (trace_exists s p I) as [H T]; [eapply parent_known; eauto|].
  exists v, p, H; split; auto. split; auto. eapply trace_base; eauto.
Qed.
Lemma ack_later s c pv b H v p Hp : reachable s -> chosen s c -> msgs s (Propose c v p pv) -> trace s p Hp ->
  c <<= b -> trace s b H -> exists H1, H = H1 ++ placed (fold_of c) pv ++ Hp.
Proof.
  intros RR Ch M Tp L T. pose proof (safe_reachable _ RR) as I.
  assert (Kb : known s b) by (inversion T; subst; [left; auto|right; eauto]).
  eapply trace_anc; eauto; [|econstructor; eauto]. eapply descent; eauto.
Qed.

(** from the moment of the answer on, [x] stands in the register's history *)
Definition stands s c x := forall b H, c <<= b -> trace s b H -> In x H.

Theorem applied_is_true s c pv n q r e : reachable s -> In (Ack c pv) (hist s) ->
  told c pv n q (Applied r e) -> stands s c (r, (id q, e)).
Proof.
  intros RR K [Q1 Q2] b H L T. destruct (ack_trace _ _ _ RR K) as (Ch & v & p & Hp & M & Tp & G).
  destruct (ack_later _ _ _ _ _ _ _ _ RR Ch M Tp L T) as [H1 ->].
  destruct (nth_verdict _ _ _ _ _ _ G Q1 Q2) as (c1 & H2 & Ev & G2 & Pl & _ & _).
  rewrite Pl. rewrite !in_app_iff. right; left; right; left. cbn; auto.
Qed.
Theorem replayed_is_true s c pv n q r e : reachable s -> In (Ack c pv) (hist s) ->
  told c pv n q (Replayed r e) -> stands s c (r, (id q, e)).
Proof.
  intros RR K [Q1 Q2] b H L T. destruct (ack_trace _ _ _ RR K) as (Ch & v & p & Hp & M & Tp & G).
  destruct (ack_later _ _ _ _ _ _ _ _ RR Ch M Tp L T) as [H1 ->].
  destruct (nth_verdict _ _ _ _ _ _ G Q1 Q2) as (c1 & H2 & Ev & G2 & Pl & _ & _).
  assert (J : In (r, (id q, e)) (H2 ++ Hp)).
  { apply remembered_true with (c := c1); auto. revert Ev. unfold evaluate, evaluate'.
    destruct (act q) as [|f|t k rt full].
    - cbn. destruct (elsewhere q); discriminate.
    - destruct (remembered (id q) c1) as [[r' e']|].
      + cbn. destruct (elsewhere q) as [l|]; [destruct (l <=? r'); try discriminate|]; intros E; inversion E; auto.
      + destruct (marked (id q) c1); [cbn; destruct (elsewhere q); discriminate|].
        destruct (match lo q with Some l => negb (showsEverything c1 l) | None => false end);
          [cbn; destruct (elsewhere q); discriminate|].
        destruct (f (rev c1) (content c1)) as [[w e']|]; cbn; destruct (elsewhere q); discriminate.
    - destruct (remembered t c1) as [[r' e']|]; cbn; [destruct (elsewhere q); discriminate|].
      destruct (marked t c1); cbn; [destruct (elsewhere q); discriminate|].
      destruct (negb (showsEverything c1 (k + 1))); cbn; [destruct (elsewhere q); discriminate|].
      destruct full; cbn; destruct (elsewhere q); discriminate. }
  rewrite Pl. rewrite !in_app_iff in *. tauto.
Qed.
Theorem settled_is_true s c pv n q r t k rt full : reachable s -> In (Ack c pv) (hist s) ->
  act q = Settle t k rt full -> told c pv n q (SettledApplied r) -> exists e, stands s c (r, (t, e)).
Proof.
  intros RR K Aq [Q1 Q2]. destruct (ack_trace _ _ _ RR K) as (Ch & v & p & Hp & M & Tp & G).
  destruct (nth_verdict _ _ _ _ _ _ G Q1 Q2) as (c1 & H2 & Ev & G2 & Pl & _ & _).
  assert (J : exists e, In (r, (t, e)) (H2 ++ Hp)).
  { revert Ev. unfold evaluate, evaluate'. rewrite Aq.
    destruct (remembered t c1) as [[r' e']|] eqn:Rm; cbn; [destruct (elsewhere q); try discriminate|].
    - intros E; inversion E; subst. exists e'. eapply remembered_true; eauto.
    - destruct (marked t c1); cbn; [destruct (elsewhere q); discriminate|].
      destruct (negb (showsEverything c1 (k + 1))); cbn; [destruct (elsewhere q); discriminate|].
      destruct full; cbn; destruct (elsewhere q); discriminate. }
  destruct J as [e J]. exists e. intros b H L T.
  destruct (ack_later _ _ _ _ _ _ _ _ RR Ch M Tp L T) as [H1 ->]. rewrite Pl. rewrite !in_app_iff in *. tauto.
Qed.

Lemma later_or_beneath s c b Hc H x : reachable s -> chosen s c -> chosen s b -> trace s c Hc -> trace s b H ->
  In x H -> In x Hc \/ exists c' v p pv, c << c' /\ msgs s (Propose c' v p pv) /\ In x (placed (fold_of c') pv).
Proof.
  intros RR Cc Cb Tc T J. pose proof (safe_reachable _ RR) as I.
  destruct (lt_or_le b c) as [L|L].
  - left. assert (An : anc s b c) by (eapply descent; eauto; [apply chosen_known; auto|order]).
    destruct (trace_anc _ _ _ _ _ I An T Tc) as [H1 ->]. apply in_app_iff; auto.
  - assert (An : anc s c b) by (eapply descent; eauto; apply chosen_known; auto).
    destruct (trace_in _ _ _ _ T J) as (c' & v & p & pv & An' & M & J').
    destruct (lt_or_le c c') as [L'|L']; [right; eauto 9|left].
    assert (A' : anc s c' c).
    { destruct (anc_linear _ _ _ _ I An' An) as [X|X]; auto. pose proof (anc_le _ _ _ I X).
      assert (c = c') as -> by order. constructor. }
    destruct (trace_exists s c' I) as [H' T']; [right; eauto|].
    destruct (trace_anc _ _ _ _ _ I A' T' Tc) as [H1 ->].
    destruct (trace_step _ _ _ _ _ _ I M T') as (H0 & _ & ->). rewrite !in_app_iff; auto.
Qed.

(** no ballot above [c] carries operation [i] (R8: whoever has answered tries no more) *)
Definition given_up s c i := forall c' v p pv q, msgs s (Propose c' v p pv) -> c << c' -> In q (fold_of c') -> id q
    <> i.

Lemma placed_id qs c r i e : In (r, (i, e)) (placed qs c) -> exists q, In q qs /\ id q = i.
Proof.
  revert c; induction qs as [|q qs IH]; intros c; cbn; [tauto|].
  destruct (evaluate q c) as [c1 v]. rewrite in_app_iff. intros [J|J].
  - destruct (IH _ J) as (q' & ? & ?); eauto.
  - destruct v; cbn in J; try tauto. destruct J as [J|[]]; inversion J; eauto.
Qed.

(** "the condition was false": of the operation nothing stands, now or later, if it was given up *)
Theorem not_applied_is_true s c pv n q f : reachable s -> R7 s -> In (Ack c pv) (hist s) ->
  act q = Change f -> told c pv n q Observed ->
  (forall q', In q' (firstn n (fold_of c) ++ skipn (S n) (fold_of c)) -> id q' <> id q) ->
  given_up s c (id q) ->
  forall b H, chosen s b -> trace s b H -> ~ In (id q) (ids H).
Proof.
  intros RR D K Aq [Q1 Q2] Alone No b H Cb T. pose proof (safe_reachable _ RR) as I.
  destruct (ack_trace _ _ _ RR K) as (Ch & v & p & Hp & M & Tp & G).
  destruct (nth_verdict _ _ _ _ _ _ G Q1 Q2) as (c1 & H2 & Ev & G2 & Pl & -> & _).
  assert (B1 : ~ In (id q) (ids Hp)).
  { rewrite in_ids. intros (r & e & J).
    assert (Qin : In q (fold_of c)) by (eapply nth_error_In; eauto).
    destruct (D _ _ _ _ _ M Tp q Qin r e J) as (l & Lq & Ll).
    assert (Obs : remembered (id q) c1 = None /\ showsEverything c1 l = true).
    { revert Ev. unfold evaluate, evaluate'. rewrite Aq, Lq.
      destruct (remembered (id q) c1) as [[r' e']|];
        [cbn; destruct (elsewhere q) as [l'|]; [destruct (l' <=? r')|]; discriminate|].
      destruct (marked (id q) c1); [cbn; destruct (elsewhere q); discriminate|].
      destruct (showsEverything c1 l); cbn; auto. destruct (elsewhere q); discriminate. }
    destruct Obs as [Nr Sh].
    assert (J2 : In (r, (id q, e)) (placed (firstn n (fold_of c)) pv ++ Hp)) by (apply in_app_iff; auto).
    pose proof (remembered_none _ _ _ _ _ G2 Nr J2).
    unfold showsEverything in Sh. apply Nat.leb_le in Sh. lia. }
  rewrite in_ids. intros (r & e & J).
  assert (Tc : trace s c (placed (fold_of c) pv ++ Hp)) by (econstructor; eauto).
  destruct (later_or_beneath _ _ _ _ _ _ RR Ch Cb Tc T J) as [X|(c' & v' & p' & pv' & L & M' & X)].
  - rewrite Pl in X. rewrite !in_app_iff in X. destruct X as [[X|[X|X]]|X].
    + destruct (placed_id _ _ _ _ _ X) as (q' & Y & Z). apply (Alone q'); auto. apply in_app_iff; auto.
    + exact X.
    + destruct (placed_id _ _ _ _ _ X) as (q' & Y & Z). apply (Alone q'); auto. apply in_app_iff; auto.
    + apply B1. apply in_ids; eauto.
  - destruct (placed_id _ _ _ _ _ X) as (q' & Y & Z). eapply No; eauto.
Qed.

(** ** Dead marks *)
Lemma spared_trace s b H v : reachable s -> R8 s -> trace s b H -> valof s b v -> spared H v.
Proof.
  intros RR F T; revert v. pose proof (safe_reachable _ RR) as I.
  induction T as [|c w p pv H M T IH]; intros v Vv.
  - destruct Vv as [[_ ->]|(p & pv & M)]; [intros t []|].
    destruct (i_prop _ I _ _ _ _ M) as (X & _); order.
  - rewrite (valof_uniq _ _ _ _ I Vv (or_intror (ex_intro _ p (ex_intro _ pv M)))).
    destruct (i_prop _ I _ _ _ _ M) as (_ & _ & _ & (-> & v1 & V1 & Bl) & _).
    specialize (IH _ V1). cbn. unfold change, spared. rewrite marks_cut. apply spared_run.
    + eapply trace_base; eauto.
    + destruct Bl as [->|(_ & r & _ & ->)]; auto. intros t [].
    + intros q J. eapply F; eauto. econstructor; eauto.
Qed.

(** from [c] on, nobody retires the mark of [t]: neither a settle (it is too young), nor the collector *)
Definition kept s c t := forall c' v p pv, msgs s (Propose c' v p pv) -> c << c' ->
  (forall q, In q (fold_of c') -> ~ retires q t) /\ forall v0, valof s p v0 -> marks v0 = marks pv.

Theorem dead_is_true s c pv n q t k rt full fresh : reachable s -> R8 s -> In (Ack c pv) (hist s) ->
  act q = Settle t k rt full -> told c pv n q (SettledDead fresh) ->
  (forall q', In q' (skipn (S n) (fold_of c)) -> ~ retires q' t) -> kept s c t ->
  forall b H, chosen s b -> trace s b H -> ~ In t (ids H).
Proof.
  intros RR F K Aq [Q1 Q2] Fold Kp. pose proof (safe_reachable _ RR) as I.
  destruct (ack_trace _ _ _ RR K) as (Ch & v & p & Hp & M & Tp & G).
  destruct (nth_verdict _ _ _ _ _ _ G Q1 Q2) as (c1 & H2 & Ev & G2 & Pl & _ & Rn & _).
  assert (Vc : valof s c (change (fold_of c) pv)).
  { destruct (i_prop _ I _ _ _ _ M) as (_ & _ & _ & (-> & _) & _). right; eauto. }
  assert (Mc : In t (marks (change (fold_of c) pv))).
  { unfold change. rewrite marks_cut, Rn. apply kept_run; auto. eapply dead_marks; eauto. }
  (* the mark is on every descendant of c *)
  assert (Mb : forall b, anc s c b -> forall w, valof s b w -> In t (marks w)).
  { intros b An; induction An as [|c' v' p' pv' M' An IH]; intros w Vw.
    - rewrite (valof_uniq _ _ _ _ I Vw Vc); auto.
    - rewrite (valof_uniq _ _ _ _ I Vw (or_intror (ex_intro _ p' (ex_intro _ pv' M')))).
      destruct (i_prop _ I _ _ _ _ M') as (_ & L' & _ & (-> & v1 & V1 & _) & _).
      assert (L : c << c') by (pose proof (anc_le _ _ _ I An); order).
      destruct (Kp _ _ _ _ M' L) as [Nr Em]. cbn. unfold change. rewrite marks_cut. apply kept_run; auto.
      rewrite <- (Em _ V1). apply IH; auto. }
  assert (Up : forall b H, anc s c b -> trace s b H -> ~ In t (ids H)).
  { intros b H An T. destruct (trace_good _ _ _ I T) as (w & Vw & _).
    apply (spared_trace _ _ _ _ RR F T Vw). eapply Mb; eauto. }
  intros b H Cb T. destruct (lt_or_le b c) as [L|L].
  - assert (An : anc s b c) by (eapply descent; eauto; [apply chosen_known; auto|order]).
    assert (Tc : trace s c (placed (fold_of c) pv ++ Hp)) by (econstructor; eauto).
    destruct (trace_anc _ _ _ _ _ I An T Tc) as [H1 E].
    intros J. apply (Up c _ (anc_refl _ _) Tc). rewrite E. unfold ids. rewrite map_app, in_app_iff; auto.
  - apply (Up b); auto. eapply descent; eauto. apply chosen_known; auto.
Qed.
End Once.
