(** The chain of configurations that a trace tells, as the checker holds it.

    How to read it.  [conf M chs] is the chain in the sense of Chain.v: stable(M),
    then what each line made of it.  [env_of M chs] is a table from epoch to what
    the checker asks of one ([fconf]); it is refused where a line does not follow
    from the one before.  [env_ok]: the table describes the chain. *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive.
From Synod Require Import Ballot Chain.
Import ListNotations.

Module PM := PositiveMap.
Notation node := positive.
Inductive change_ := Begin (M : list node) | Complete | Abandon.
Notation config := (config node).

Definition nextc (c : config) (ch : option change_) : config := match ch with
  | Some (Begin N) => if Nat.even (epoch _ c) then
      Conf _ (epoch _ c + 1) (c_old _ c) N
        (fun a => if in_dec Pos.eq_dec a (c_old _ c) then since_ _ c a else epoch _ c + 1) false
      else succ_ _ Pos.eq_dec c
  | Some Complete => if Nat.odd (epoch _ c) then Conf _ (epoch _ c + 1) (c_new _ c) (c_new _ c) (since_ _ c) true
      else succ_ _ Pos.eq_dec c
  | _ => succ_ _ Pos.eq_dec c end.
Lemma nextc_next c ch : next _ c (nextc c ch).
Proof.
  destruct ch as [[S| |]|]; cbn; try apply next_succ.
  - destruct (Nat.even (epoch _ c)) eqn:E; [|apply next_succ].
    apply n_begin; auto; intros a J; destruct (in_dec Pos.eq_dec a (c_old _ c)); tauto.
  - destruct (Nat.odd (epoch _ c)) eqn:E; [|apply next_succ]. apply n_complete; auto.
Qed.
Fixpoint conf_from (c : config) (chs : list change_) n := match n with
  | 0 => c | S n => conf_from (nextc c (hd_error chs)) (tl chs) n end.
Definition conf M chs := conf_from (first_ _ M) chs.
Lemma conf_from_next c chs n : conf_from c chs (n + 1) = nextc (conf_from c chs n) (nth_error chs n).
Proof.
  revert c chs; induction n as [|n IH]; intros c chs.
  - destruct chs; reflexivity.
  - change (S n + 1) with (S (n + 1)). cbn [conf_from]. rewrite IH. destruct chs as [|ch chs]; cbn; auto.
    destruct n; auto.
Qed.
Lemma conf_0 M chs : conf M chs 0 = first_ _ M.
Proof. reflexivity. Qed.
Lemma conf_next M chs n : next _ (conf M chs n) (conf M chs (n + 1)).
Proof. unfold conf. rewrite conf_from_next. apply nextc_next. Qed.

Record fconf := FC {
  fc_epoch : N; fc_old : list node; fc_new : list node; fc_lo : N;
  fc_since : list (node * N); fc_other : N }.          (* since of who is not listed *)
Fixpoint lookup (a : node) (l : list (node * N)) d := match l with
  | [] => d | (b, e) :: l => if Pos.eqb a b then e else lookup a l d end.
Definition fsince fc a := lookup a (fc_since fc) (fc_other fc).
Definition memp a (l : list node) := existsb (Pos.eqb a) l.
Fixpoint nodupb (l : list node) := match l with [] => true | a :: l => negb (memp a l) && nodupb l end.
Definition fnext fc ch : option fconf := match ch with
  | Begin M => if N.even (fc_epoch fc) && nodupb M then
      Some (FC (fc_epoch fc + 1) (fc_old fc) M (fc_lo fc) (map (fun a => (a, fsince fc a)) (fc_old fc))
        (fc_epoch fc + 1)) else None
  | Complete => if N.odd (fc_epoch fc) then
      Some (FC (fc_epoch fc + 1) (fc_new fc) (fc_new fc) (fc_epoch fc) (fc_since fc) (fc_other fc)) else None
  | Abandon => if N.odd (fc_epoch fc) then
      Some (FC (fc_epoch fc + 1) (fc_old fc) (fc_old fc) (fc_lo fc) (fc_since fc) (fc_other fc)) else None
  end%N.
Definition env := PM.t fconf.
Definition at_ (v : env) (e : N) := PM.find (N.succ_pos e) v.
Definition fput fc (v : env) := PM.add (N.succ_pos (fc_epoch fc)) fc v.
Fixpoint fbuild fc chs v : option env := match chs with
  | [] => Some v
  | ch :: chs => match fnext fc ch with Some fc => fbuild fc chs (fput fc v) | None => None end end.
Definition ffirst M := FC 0 M M 0 [] 0.
Definition env_of M chs := if nodupb M then fbuild (ffirst M) chs (fput (ffirst M) (PM.empty _)) else None.

Definition describes cf n fc := fc_epoch fc = N.of_nat n /\ fc_old fc = old_ node cf n /\ fc_new fc = new_ node cf n /\
  N.to_nat (fc_lo fc) = lo_ node cf n /\ (forall a, N.to_nat (fsince fc a) = since__ node cf a n) /\
  NoDup (fc_old fc) /\ NoDup (fc_new fc).

Lemma memp_ok a l : memp a l = true <-> In a l.
Proof.
  unfold memp; rewrite existsb_exists. split; [intros (? & ? & ->%Pos.eqb_eq); auto|].
  intros J; exists a; split; auto. apply Pos.eqb_refl.
Qed.
Lemma nodupb_ok l : nodupb l = true -> NoDup l.
Proof.
  induction l as [|a l IH]; cbn; [constructor|]. rewrite andb_true_iff, negb_true_iff. intros [N D].
  constructor; auto. intros J. apply memp_ok in J. congruence.
Qed.
Lemma lookup_map a l f d : lookup a (map (fun a => (a, f a)) l) d = if in_dec Pos.eq_dec a l then f a else d.
Proof.
  induction l as [|b l IH]; auto. cbn [map lookup]. destruct (Pos.eqb_spec a b) as [->|N].
  - destruct (in_dec Pos.eq_dec b (b :: l)) as [|X]; auto. exfalso; apply X; cbn; auto.
  - rewrite IH. destruct (in_dec Pos.eq_dec a l) as [J|J], (in_dec Pos.eq_dec a (b :: l)) as [J'|J']; auto; cbn in *;
      intuition congruence.
Qed.
Lemma even_of n : N.even (N.of_nat n) = Nat.even n.
Proof.
  induction n as [n IH] using (well_founded_ind Wf_nat.lt_wf). destruct n as [|[|n]]; auto.
  replace (N.of_nat (S (S n))) with (N.of_nat n + 2)%N by lia. rewrite N.even_add. cbn [N.even].
  rewrite IH by lia. cbn. destruct (Nat.even n); auto.
Qed.
Lemma odd_of n : N.odd (N.of_nat n) = Nat.odd n.
Proof. rewrite <- N.negb_even, even_of, Nat.negb_even. auto. Qed.

Section Given.
Variable M : list node.
Variable chs : list change_.
Lemma fnext_ok n fc ch fc' : describes (conf M chs) n fc -> nth_error chs n = Some ch -> fnext fc ch = Some fc' ->
  describes (conf M chs) (S n) fc'.
Proof.
  intros (E & Eo & En & El & Es & Do & Dn) Ch F.
  assert (Ep : epoch _ (conf M chs n) = n).
  { apply (conf_epoch _ M (conf M chs) (conf_0 M chs) (conf_next M chs)). }
  assert (Ec : conf M chs (n + 1) = nextc (conf M chs n) (Some ch)).
  { unfold conf. rewrite conf_from_next. rewrite <- Ch. auto. }
  unfold describes, old_, new_, since__. cbn [lo_].
  replace (n + 1) with (S n) in * by lia. rewrite Ec.
  destruct ch as [S0| |]; cbn -[Nat.even Nat.odd] in F |- *; rewrite E in F.
  - destruct (N.even (N.of_nat n) && nodupb S0) eqn:G; [|discriminate]. apply andb_true_iff in G. destruct G as [Ev D].
    rewrite even_of in Ev. rewrite Ep, Ev. injection F; intros <-. cbn.
    repeat split; auto; [lia| | |apply nodupb_ok; auto].
    + unfold old_ in *. rewrite andb_false_r. auto.
    + intros a. unfold fsince; cbn. rewrite lookup_map. unfold old_ in Eo. rewrite Eo.
      destruct (in_dec Pos.eq_dec a (c_old node (conf M chs n))); [apply Es|lia].
  - destruct (N.odd (N.of_nat n)) eqn:G; [|discriminate]. rewrite odd_of in G. rewrite Ep, G.
    injection F; intros <-. cbn. repeat split; auto; lia.
  - destruct (N.odd (N.of_nat n)) eqn:G; [|discriminate]. rewrite odd_of in G.
    unfold succ_. rewrite Ep. unfold Nat.odd in G. apply negb_true_iff in G. rewrite G.
    injection F; intros <-. cbn. rewrite andb_false_r. repeat split; auto; lia.
Qed.
Lemma fbuild_ok l n fc v v' : describes (conf M chs) n fc -> l = skipn n chs ->
  (forall e g, at_ v e = Some g -> describes (conf M chs) (N.to_nat e) g) -> fbuild fc l v = Some v' ->
  forall e g, at_ v' e = Some g -> describes (conf M chs) (N.to_nat e) g.
Proof.
  revert n fc v; induction l as [|ch l IH]; intros n fc v D E H F; cbn in F; [injection F; intros <-; auto|].
  destruct (fnext fc ch) as [fc'|] eqn:G; [|discriminate].
  assert (Ch : nth_error chs n = Some ch).
  { clear -E. revert chs E. induction n as [|n IH]; intros [|c cs] E; cbn in *; try discriminate; try congruence. auto. }
  pose proof (fnext_ok _ _ _ _ D Ch G) as D'. eapply (IH (S n)); [exact D'| | |exact F].
  - clear -E. revert chs E. induction n as [|n IH]; intros [|c cs] E; cbn in *; try discriminate; try congruence. auto.
  - intros e g. unfold at_, fput. destruct (N.eq_dec e (fc_epoch fc')) as [->|Ne].
    + rewrite PM.gss. intros X; injection X; intros <-. destruct D' as (Ee & _). rewrite Ee, Nat2N.id.
      split; auto. apply (fnext_ok _ _ _ _ D Ch G).
    + rewrite PM.gso; [apply H|]. intros X. apply Ne. lia.
Qed.
Theorem env_ok v : env_of M chs = Some v -> forall e fc, at_ v e = Some fc -> describes (conf M chs) (N.to_nat e) fc.
Proof.
  unfold env_of. destruct (nodupb M) eqn:D; [|discriminate]. apply nodupb_ok in D. intros F.
  assert (D0 : describes (conf M chs) 0 (ffirst M)) by (repeat split; auto).
  eapply (fbuild_ok chs 0); [exact D0|auto| |exact F].
  intros e g. unfold at_, fput. destruct (N.eq_dec e 0) as [->|Ne].
  - change (N.succ_pos (fc_epoch (ffirst M))) with (N.succ_pos 0). rewrite PM.gss. intros X; injection X; intros <-.
    auto.
  - rewrite PM.gso; [rewrite PM.gempty; discriminate|]. intros X. apply Ne. cbn in X. lia.
Qed.
End Given.
