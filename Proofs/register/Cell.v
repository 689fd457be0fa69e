(** The cell and what a fold does to it (Sources/Register/Cell.swift, Window.swift,
    Evaluation.swift), and the facts about one cell that hold whatever the rounds do.

    How to read it.  [evaluate] is the code's [Cell.evaluate]; [run] is a fold (R9);
    [change] cuts the window afterwards.  [Good H c] says that [c] is a true account
    of the history [H], the list of what was placed so far, as (revision, (id, effect)):
    revisions are distinct and at most the cell's; the window tells the truth, and it
    tells everything back to its oldest entry.  Lemmas [good_*]: each thing that can
    happen to a cell keeps that.  [run_once] is the heart of R7. *)
From Coq Require Import List Arith Lia.
Import ListNotations.

Class Values := {
  Id : Type;                                     (* operation ids               *)
  W  : Type;                                     (* contents                    *)
  Eff : Type;                                    (* what a replay must repeat   *)
  Id_dec : forall i j : Id, {i = j} + {i <> j};
  length_ : nat }.                               (* W of PROTOCOL.md, at least 8; any number here *)

Section Cell.
Context {Val : Values}.

Record cell := Cell {
  rev : nat;
  content : option W;                            (* None: absent, or a tombstone *)
  window : list (Id * Eff);                      (* newest first; revisions consecutive, the first made [rev] *)
  marks : list Id }.                             (* dead marks (R8)             *)

(** a register that was never there, or was erased at revision [r] (R14) *)
Definition absentAt r := Cell r None [] [].

(** what erasure makes of a tombstone: clients see no difference *)
Definition blurs (c d : cell) :=
  d = c \/ (content c = None /\ exists r, rev c <= r /\ d = absentAt r).

Inductive action :=
| Read
| Change (f : nat -> option W -> option (option W * Eff))
    (* from revision and content; None: the condition is false, or nothing to do  *)
| Settle (target : Id) (known : nat) (retired : list Id) (full : bool).
    (* [retired]: marks old enough to go; [full]: there is no room for another     *)
Record request := Request {
  id : Id; act : action;
  lo : option nat;            (* R7: the lowest revision at which an earlier attempt may have placed it *)
  elsewhere : option nat }.   (* R8: another node may yet start it, with this [lo] *)

Inductive verdict :=
| Applied (r : nat) (e : Eff) | Replayed (r : nat) (e : Eff)
| Observed                    (* read, condition false, nothing to do            *)
| RefusedDead | Undecidable
| SettledApplied (r : nat) | SettledDead (fresh : bool) | Forgotten.

Fixpoint position i (w : list (Id * Eff)) : option (nat * Eff) := match w with
  | [] => None
  | (j, e) :: w => if Id_dec i j then Some (0, e)
                   else match position i w with Some (n, e) => Some (S n, e) | None => None end end.
Definition remembered i c := match position i (window c) with
  | Some (n, e) => Some (rev c - n, e) | None => None end.
(** R7: a change placed at [lo] or later would be seen *)
Definition showsEverything c lo := rev c + 1 <=? lo + length (window c).
Definition marked i c := if in_dec Id_dec i (marks c) then true else false.

Definition evaluate' (q : request) (c : cell) : cell * verdict :=
  match act q with
  | Read => (c, Observed)
  | Settle t known retired full =>
      match remembered t c with
      | Some (r, _) => (c, SettledApplied r)
      | None =>
        if marked t c then (c, SettledDead false)
        else if negb (showsEverything c (known + 1)) then (c, Forgotten)
        else let kept := filter (fun i => if in_dec Id_dec i retired then false else true) (marks c) in
             if full then (Cell (rev c) (content c) (window c) kept, Forgotten)
             else (Cell (rev c) (content c) (window c) (t :: kept), SettledDead true)
      end
  | Change f =>
      match remembered (id q) c with
      | Some (r, e) => (c, Replayed r e)                                            (* R9 *)
      | None =>
        if marked (id q) c then (c, RefusedDead)                                    (* R8 *)
        else if match lo q with Some l => negb (showsEverything c l) | None => false end
             then (c, Undecidable)                                                  (* R7 *)
        else match f (rev c) (content c) with
             | None => (c, Observed)
             | Some (w, e) => (Cell (rev c + 1) w ((id q, e) :: window c) (marks c), Applied (rev c + 1) e)
             end
      end
  end.
(** R8: no "not applied" while another node may yet start it ([isFinal]) *)
Definition final (v : verdict) from := match v with
  | Applied _ _ | RefusedDead => true | Replayed r _ => from <=? r | SettledDead _ => true | _ => false end.
Definition evaluate q c := let (d, v) := evaluate' q c in
  (d, match elsewhere q with Some l => if final v l then v else Undecidable | None => v end).

(** R9: each change of a fold is checked by itself against the running cell *)
Fixpoint run (qs : list request) c : cell * list verdict := match qs with
  | [] => (c, [])
  | q :: qs => let (c1, v) := evaluate q c in let (c2, vs) := run qs c1 in (c2, v :: vs) end.
(** what a fold places, oldest last *)
Definition entry q v : list (nat * (Id * Eff)) := match v with Applied r e => [(r, (id q, e))] | _ => [] end.
Fixpoint placed (qs : list request) c : list (nat * (Id * Eff)) := match qs with
  | [] => []
  | q :: qs => let (c1, v) := evaluate q c in placed qs c1 ++ entry q v end.
Definition cut n c := match n with 0 => c
  | _ => Cell (rev c) (content c) (firstn (max length_ n) (window c)) (marks c) end.
Definition change qs c := cut (length (placed qs c)) (fst (run qs c)).

Notation history := (list (nat * (Id * Eff))).
Record Good (H : history) (c : cell) : Prop := {
  g_below : forall r x, In (r, x) H -> 1 <= r <= rev c;
  g_all   : forall r x, In (r, x) H -> rev c + 1 <= r + length (window c) ->
              nth_error (window c) (rev c - r) = Some x;
  g_true  : forall n x, nth_error (window c) n = Some x -> In (rev c - n, x) H;
  g_len   : length (window c) <= rev c;
  g_revs  : NoDup (map fst H) }.

Lemma good_absent : Good [] (absentAt 0).
Proof. split; cbn; try tauto; try lia; [|constructor]. intros [|n] x E; discriminate E. Qed.

Lemma good_blur H c d : Good H c -> blurs c d -> Good H d.
Proof.
  intros G [->|(_ & r & L & ->)]; auto. split; cbn; try lia; try apply G.
  - intros r' x J. pose proof (g_below _ _ G _ _ J); lia.
  - intros r' x J ?. pose proof (g_below _ _ G _ _ J); lia.
  - intros [|n] x E; discriminate E.
Qed.

Lemma good_cut H c n : Good H c -> Good H (cut n c).
Proof.
  intros G. destruct n; auto. unfold cut. remember (max length_ (S n)) as k eqn:E; clear E.
  split; cbn; try apply G.
  - intros r x J. rewrite firstn_length. intros L. pose proof (g_below _ _ G _ _ J).
    assert (L1 : rev c - r < k) by lia.
    assert (X : nth_error (window c) (rev c - r) = Some x) by (apply (g_all _ _ G); auto; lia).
    rewrite <- X. clear -L1. revert k L1. generalize (rev c - r) as i. induction (window c) as [|y w IH]; intros i k L1;
      destruct k; try lia; destruct i; cbn; auto. apply IH; lia.
  - intros i x X. apply (g_true _ _ G). revert k X. generalize i.
    induction (window c) as [|y w IH]; intros j k X; destruct k; cbn in X; try (destruct j; discriminate X).
    destruct j; cbn in *; auto. eapply IH; eauto.
  - rewrite firstn_length. pose proof (g_len _ _ G). lia.
Qed.

Lemma position_some i w n e : position i w = Some (n, e) -> nth_error w n = Some (i, e).
Proof.
  revert n; induction w as [|[j e'] w IH]; cbn; intros n; [discriminate|].
  destruct (Id_dec i j) as [->|]; [intros E; inversion E; auto|].
  destruct (position i w) as [[n' e'']|]; [|discriminate]. intros E; inversion E; subst. cbn; auto.
Qed.
Lemma position_none i w n e : position i w = None -> nth_error w n <> Some (i, e).
Proof.
  revert n; induction w as [|[j e'] w IH]; cbn; intros n; [destruct n; discriminate|].
  destruct (Id_dec i j) as [->|N]; [discriminate|].
  destruct (position i w) as [[n' e'']|]; [discriminate|]. intros _.
  destruct n; cbn; [congruence|apply IH; auto].
Qed.
Lemma remembered_true H c i r e : Good H c -> remembered i c = Some (r, e) -> In (r, (i, e)) H.
Proof.
  intros G. unfold remembered. destruct (position i (window c)) as [[n e']|] eqn:E; [|discriminate].
  intros X; inversion X; subst. apply (g_true _ _ G), position_some; auto.
Qed.
Lemma remembered_none H c i r e : Good H c -> remembered i c = None -> In (r, (i, e)) H ->
  r + length (window c) < rev c + 1.
Proof.
  intros G. unfold remembered. destruct (position i (window c)) as [[n e']|] eqn:E; [discriminate|].
  intros _ J. destruct (le_lt_dec (rev c + 1) (r + length (window c))); auto. exfalso.
  eapply position_none; [exact E|]. apply (g_all _ _ G _ _ J); auto.
Qed.

(** what one evaluation does *)
Inductive eff (q : request) (c : cell) : cell -> verdict -> Prop :=
| e_same v : entry q v = [] -> eff q c c v
| e_marks m v : entry q v = [] -> eff q c (Cell (rev c) (content c) (window c) m) v
| e_apply w e : remembered (id q) c = None -> marked (id q) c = false ->
    (forall l, lo q = Some l -> showsEverything c l = true) ->
    eff q c (Cell (rev c + 1) w ((id q, e) :: window c) (marks c)) (Applied (rev c + 1) e).
Lemma evaluate'_eff q c : eff q c (fst (evaluate' q c)) (snd (evaluate' q c)).
Proof.
  unfold evaluate'. destruct (act q) as [|f|t k rt full]; cbn; [constructor; auto| |].
  - destruct (remembered (id q) c) as [[r e]|] eqn:E; [constructor; auto|].
    destruct (marked (id q) c) eqn:M; [constructor; auto|].
    destruct (match lo q with Some l => negb (showsEverything c l) | None => false end) eqn:L; [constructor; auto|].
    destruct (f (rev c) (content c)) as [[w e]|]; cbn; [|constructor; auto].
    constructor; auto. intros l Q. rewrite Q in L. destruct (showsEverything c l); auto; discriminate.
  - destruct (remembered t c) as [[r e]|]; [constructor; auto|]. destruct (marked t c); [constructor; auto|].
    destruct (negb (showsEverything c (k + 1))); [constructor; auto|].
    destruct full; apply e_marks; auto.
Qed.
Lemma evaluate_eff q c : eff q c (fst (evaluate q c)) (snd (evaluate q c)).
Proof.
  pose proof (evaluate'_eff q c) as E. unfold evaluate. destruct (evaluate' q c) as [d v]; cbn in *.
  destruct (elsewhere q) as [l|]; auto.
  destruct E as [v E|m v E|w e]; cbn.
  - constructor. destruct (final v l); auto.
  - apply e_marks. destruct (final v l); auto.
  - constructor; auto.
Qed.

Lemma good_evaluate H q c : Good H c -> Good (entry q (snd (evaluate q c)) ++ H) (fst (evaluate q c)).
Proof.
  intros G. destruct (evaluate_eff q c) as [v ->|m v ->|w e]; cbn; [auto|split; apply G|].
  split; cbn.
  - intros r x [E|J]; [inversion E; lia|]. pose proof (g_below _ _ G _ _ J); lia.
  - intros r x [E|J].
    + inversion E; subst. rewrite Nat.sub_diag; auto.
    + intros L. pose proof (g_below _ _ G _ _ J). replace (rev c + 1 - r) with (S (rev c - r)) by lia; cbn.
      apply (g_all _ _ G); auto; lia.
  - intros [|n] x E; cbn in E; [inversion E; left; f_equal; lia|right].
    replace (rev c + 1 - S n) with (rev c - n) by lia. apply (g_true _ _ G); auto.
  - pose proof (g_len _ _ G); lia.
  - constructor; [|apply G]. intros J. apply in_map_iff in J. destruct J as ([r x] & E & J); cbn in E; subst.
    pose proof (g_below _ _ G _ _ J); lia.
Qed.

Lemma good_run H qs c : Good H c -> Good (placed qs c ++ H) (fst (run qs c)).
Proof.
  revert H c; induction qs as [|q qs IH]; intros H c G; cbn; auto.
  pose proof (good_evaluate _ q _ G) as G1. destruct (evaluate q c) as [c1 v]; cbn in G1.
  specialize (IH _ _ G1). destruct (run qs c1) as [c2 vs]; cbn in *. rewrite <- app_assoc; auto.
Qed.
Lemma good_change H qs c : Good H c -> Good (placed qs c ++ H) (change qs c).
Proof. intros G. apply good_cut, good_run; auto. Qed.

(** R7: an earlier attempt of [q] that lies beneath was placed at [lo] or above *)
Definition knows (q : request) (H : history) := forall r e, In (r, (id q, e)) H -> exists l, lo q = Some l /\ l <= r.

Definition ids (H : history) := map (fun x => fst (snd x)) H.
Lemma in_ids i H : In i (ids H) <-> exists r e, In (r, (i, e)) H.
Proof.
  unfold ids; rewrite in_map_iff. split.
  - intros ([r [j e]] & E & J); cbn in E; subst; eauto.
  - intros (r & e & J); exists (r, (i, e)); auto.
Qed.

(** at most once, within a fold and across what lies beneath it *)
Lemma run_once H qs c r0 : Good H c ->
  rev c - length (window c) <= r0 -> r0 <= rev c ->
  (forall q, In q qs -> forall r e, In (r, (id q, e)) H -> r0 < r \/ exists l, lo q = Some l /\ l <= r) ->
  NoDup (ids H) -> NoDup (ids (placed qs c ++ H)).
Proof.
  revert H c; induction qs as [|q qs IH]; intros H c G L Le Kn N; cbn; auto.
  pose proof (good_evaluate _ q _ G) as G1. pose proof (evaluate_eff q c) as E.
  destruct (evaluate q c) as [c1 v]; cbn in *. rewrite <- app_assoc.
  pose proof (g_len _ _ G) as Len. apply IH; auto.
  - destruct E; cbn; lia.
  - destruct E; cbn; lia.
  - intros q' J r e K. apply in_app_iff in K. destruct K as [K|K]; [|eapply Kn; eauto].
    left. destruct E as [v E|m v E|w e' Nr Nm Sh]; rewrite ?E in K; cbn in K; try tauto.
    destruct K as [K|[]]; inversion K; subst. lia.
  - destruct E as [v ->|m v ->|w e Nr Nm Sh]; auto. cbn. constructor; auto.
    rewrite in_ids. intros (r & e' & J).
    pose proof (remembered_none _ _ _ _ _ G Nr J) as F.
    destruct (Kn q (or_introl eq_refl) _ _ J) as [X|(l & Q & X)]; [lia|].
    specialize (Sh _ Q). unfold showsEverything in Sh. apply Nat.leb_le in Sh. lia.
Qed.
Lemma change_once H qs c : Good H c -> (forall q, In q qs -> knows q H) -> NoDup (ids H) ->
  NoDup (ids (placed qs c ++ H)).
Proof.
  intros G Kn N. apply run_once with (r0 := rev c); auto; [lia|]. intros q J r e K. right. eapply Kn; eauto.
Qed.

(** the verdict on the [n]-th request: it was given on a running cell of the fold *)
Lemma nth_verdict H qs c n q v : Good H c -> nth_error qs n = Some q -> nth_error (snd (run qs c)) n = Some v ->
  exists c1 H1, v = snd (evaluate q c1) /\ Good (H1 ++ H) c1 /\
    placed qs c = placed (skipn (S n) qs) (fst (evaluate q c1)) ++ entry q v ++ H1 /\ H1 = placed (firstn n qs) c /\
    fst (run qs c) = fst (run (skipn (S n) qs) (fst (evaluate q c1))) /\ c1 = fst (run (firstn n qs) c).
Proof.
  revert H c n; induction qs as [|q0 qs IH]; intros H c [|n] G; cbn; try discriminate.
  - intros E. inversion E; subst. destruct (evaluate q c) as [c1 v1] eqn:Ev.
    destruct (run qs c1) as [c2 vs] eqn:Rn; cbn. intros E'; inversion E'; subst.
    exists c, []. rewrite Ev; cbn. rewrite app_nil_r, Rn. auto 6.
  - intros E. pose proof (good_evaluate _ q0 _ G) as G1.
    destruct (evaluate q0 c) as [c1 v1] eqn:Ev; cbn in G1.
    specialize (IH _ _ n G1 E). destruct (run qs c1) as [c2 vs]; cbn in *. intros E'.
    destruct (IH E') as (d & H1 & -> & G2 & Pl & -> & Rn & Ed). exists d, (placed (firstn n qs) c1 ++ entry q0 v1).
    split; auto. split; [rewrite <- app_assoc; auto|]. split; [rewrite Pl, <- !app_assoc; auto|].
    split; auto. split; auto. destruct (run (firstn n qs) c1); auto.
Qed.
Lemma placed_fresh qs d i : (forall q, In q qs -> id q <> i) -> ~ In i (ids (placed qs d)).
Proof.
  revert d; induction qs as [|q0 qs IH]; intros d F; cbn; [tauto|].
  destruct (evaluate q0 d) as [d1 v1]. unfold ids. rewrite map_app, in_app_iff. intros [J|J].
  - revert J. apply IH. intros; apply F; cbn; auto.
  - destruct v1; cbn in J; try tauto. destruct J as [J|[]]. eapply F; cbn; eauto.
Qed.


(** revisions of a fold lie above its base *)
Lemma placed_above qs c r x : In (r, x) (placed qs c) -> rev c < r.
Proof.
  revert c; induction qs as [|q qs IH]; intros c; cbn; [tauto|].
  pose proof (evaluate_eff q c) as E. destruct (evaluate q c) as [c1 v]; cbn in *.
  rewrite in_app_iff. intros [J|J].
  - apply IH in J. destruct E; cbn in *; lia.
  - destruct E as [v E|m v E|w e]; rewrite ?E in J; cbn in J; try tauto. destruct J as [J|[]]; inversion J; lia.
Qed.

(** ** Dead marks (R8) *)
Definition spared (H : history) c := forall t, In t (marks c) -> ~ In t (ids H).
(** the client knew revision [known] before it sent the operation that it settles *)
Definition fair (q : request) (H : history) := forall t known rt full, act q = Settle t known rt full ->
  forall r e, In (r, (t, e)) H -> known < r.
Definition retires (q : request) t := exists t' known rt full, act q = Settle t' known rt full /\ In t rt.

Lemma unseen H c t k : Good H c -> remembered t c = None -> showsEverything c (k + 1) = true ->
  (forall r e, In (r, (t, e)) H -> k < r) -> ~ In t (ids H).
Proof.
  intros G Nr Sh F. rewrite in_ids. intros (r & e & J). pose proof (remembered_none _ _ _ _ _ G Nr J).
  pose proof (F _ _ J). unfold showsEverything in Sh. apply Nat.leb_le in Sh. lia.
Qed.
Lemma marked_in t c : marked t c = true <-> In t (marks c).
Proof. unfold marked. destruct (in_dec Id_dec t (marks c)); intuition congruence. Qed.
Lemma in_filter_marks t rt l : In t (filter (fun i => if in_dec Id_dec i rt then false else true) l) <->
  In t l /\ ~ In t rt.
Proof. rewrite filter_In. destruct (in_dec Id_dec t rt); intuition congruence. Qed.

Lemma spared_evaluate H q c : Good H c -> spared H c -> fair q H ->
  spared (entry q (snd (evaluate q c)) ++ H) (fst (evaluate q c)).
Proof.
  intros G S F. assert (X : spared (entry q (snd (evaluate' q c)) ++ H) (fst (evaluate' q c))).
  { unfold evaluate'. destruct (act q) as [|f|t k rt full] eqn:Aq; cbn; auto.
    - destruct (remembered (id q) c) as [[r e]|]; auto. destruct (marked (id q) c) eqn:M; auto.
      destruct (match lo q with Some l => negb (showsEverything c l) | None => false end); auto.
      destruct (f (rev c) (content c)) as [[w e]|]; auto. intros t; cbn. intros J [E|K].
      + subst. apply marked_in in J. congruence.
      + exact (S _ J K).
    - destruct (remembered t c) as [[r e]|] eqn:Nr; auto. destruct (marked t c); auto.
      destruct (showsEverything c (k + 1)) eqn:Sh; cbn; auto.
      destruct full; intros t'; cbn; [rewrite in_filter_marks; intros [? _]; auto|].
      intros [<-|J]; [|rewrite in_filter_marks in J; apply S; tauto].
      eapply unseen; eauto. }
  unfold evaluate. pose proof (evaluate'_eff q c) as E. destruct (evaluate' q c) as [d v]; cbn in *.
  destruct (elsewhere q) as [l|]; auto. destruct (final v l) eqn:Fn; auto.
  cbn. destruct v; auto; discriminate Fn.
Qed.
Lemma spared_run H qs c : Good H c -> spared H c ->
  (forall q, In q qs -> fair q (placed qs c ++ H)) -> spared (placed qs c ++ H) (fst (run qs c)).
Proof.
  revert H c; induction qs as [|q qs IH]; intros H c G S F; cbn; auto.
  pose proof (good_evaluate _ q _ G) as G1.
  assert (Fq : fair q H).
  { intros t k rt full Aq r e J. apply (F q (or_introl eq_refl) t k rt full Aq r e). apply in_app_iff; auto. }
  pose proof (spared_evaluate _ q _ G S Fq) as S1.
  assert (F1 : forall q', In q' qs -> fair q' (placed (q :: qs) c ++ H)) by (intros; apply F; cbn; auto).
  cbn in F1. destruct (evaluate q c) as [c1 v]; cbn in *. rewrite <- app_assoc in *.
  specialize (IH _ _ G1 S1 F1). destruct (run qs c1) as [c2 vs]; cbn in *. auto.
Qed.
Lemma marks_cut n c : marks (cut n c) = marks c.
Proof. destruct n; auto. Qed.

Lemma kept_evaluate q c t : In t (marks c) -> ~ retires q t -> In t (marks (fst (evaluate q c))).
Proof.
  intros J N. assert (X : In t (marks (fst (evaluate' q c)))).
  { unfold evaluate'. destruct (act q) as [|f|t' k rt full] eqn:Aq; cbn; auto.
    - destruct (remembered (id q) c) as [[r e]|]; auto. destruct (marked (id q) c); auto.
      destruct (match lo q with Some l => negb (showsEverything c l) | None => false end); auto.
      destruct (f (rev c) (content c)) as [[w e]|]; auto.
    - destruct (remembered t' c) as [[r e]|]; auto. destruct (marked t' c); auto.
      destruct (negb (showsEverything c (k + 1))); auto.
      assert (Y : In t (filter (fun i => if in_dec Id_dec i rt then false else true) (marks c))).
      { rewrite in_filter_marks; split; auto. intros ?. apply N. exists t', k, rt, full; auto. }
      destruct full; cbn; auto. }
  unfold evaluate. destruct (evaluate' q c) as [d v]; auto.
Qed.
Lemma kept_run qs c t : In t (marks c) -> (forall q, In q qs -> ~ retires q t) -> In t (marks (fst (run qs c))).
Proof.
  revert c; induction qs as [|q qs IH]; intros c J N; cbn; auto.
  pose proof (kept_evaluate q c t J (N q (or_introl eq_refl))) as J1. destruct (evaluate q c) as [c1 v]; cbn in *.
  specialize (IH _ J1 (fun q K => N q (or_intror K))). destruct (run qs c1); auto.
Qed.
(** who was told "dead" left the mark *)
Lemma dead_marks q c t k rt full fresh : act q = Settle t k rt full -> snd (evaluate q c) = SettledDead fresh ->
  In t (marks (fst (evaluate q c))).
Proof.
  intros Aq. unfold evaluate, evaluate'; rewrite Aq.
  destruct (remembered t c) as [[r e]|]; cbn; [destruct (elsewhere q); discriminate|].
  destruct (marked t c) eqn:M; [apply marked_in in M; cbn; auto|].
  destruct (negb (showsEverything c (k + 1))); cbn; [destruct (elsewhere q); discriminate|].
  destruct full; cbn; [destruct (elsewhere q); discriminate|auto].
Qed.
End Cell.
