(** The rest of what Check.v does is sound too: answers to clients, one-round
    reads, erasure, changes of membership.  [sound_check]: every event is. *)
From Coq Require Import NArith PArith List Bool Lia Arith FMapPositive SetoidList.
From Synod Require Import Ballot Model Safety History Linearizable Cell Once Members MembersGuard MembersTheorem Chain.
From Trace Require Import Numbers Chains Check Sound.
Import ListNotations.

Section SoundReads.
Variable M0 : list node.
Variable chs : list change_.
Variable v : env.
Hypothesis env_is : env_of M0 chs = Some v.
Variable folds : ballot -> list (@request numbers).
Notation MI := (MI M0 chs folds).
Notation state := (@mst MI).
Notation Rel := (Rel M0 chs folds).
Notation Sound := (Sound M0 chs folds).
Notation lifts := (lifts M0 chs folds).
Notation given := (given M0 chs folds).
Notation a_reply := (a_reply M0 chs folds).

(** ** What a proposer concludes *)
Lemma filter_find f l c p : pfind c (filter (fun x => f (fst x)) l) = Some p -> pfind c l = Some p.
Proof.
  induction l as [|[c1 p1] l IH]; cbn; auto. destruct (f c1) eqn:F; cbn; destruct (nbeq c c1) eqn:E; auto.
  apply nbeq_ok in E. subst c1. intros X. exfalso. clear IH. induction l as [|[c2 p2] l IH]; cbn in X; [discriminate|].
  destruct (f c2) eqn:F2; cbn in X; auto. destruct (nbeq c c2) eqn:E; auto. apply nbeq_ok in E. congruence.
Qed.
Lemma prune_find s c p : pfind c (t_props (prune v s)) = Some p -> pfind c (t_props s) = Some p.
Proof. unfold prune. destruct (_ <=? _)%N; auto. apply filter_find. Qed.
Lemma rel_prune s x h : Rel s x h -> Rel (prune v s) x h.
Proof.
  intros Q. pose proof (prune_find s) as Pf. unfold prune in *. destruct (_ <=? _)%N; auto.
  pieces Q; auto.
Qed.
Lemma rel_settled s (x : state) h l : Rel s x h ->
  Rel (settled s l) (M_ (co x) (fun l' => l' = N.to_nat l \/ K x l') (gone x) (fl x) (told x) (joined x)) h.
Proof.
  intros Q. destruct x as [[P A M H] Kx G F T J]. pieces Q; auto.
  intros l'. rewrite Qk. split; (intros [X|X]; [left|right; auto]); [lia|subst; auto].
Qed.
Lemma not_K s (x : state) h l : Rel s x h -> memn l (t_K s) = false -> ~ K x (N.to_nat l).
Proof.
  intros Q N X. apply (q_K _ _ _ _ _ _ Q) in X.
  assert (Y : memn l (t_K s) = true); [|congruence]. apply existsb_exists. exists l; split; auto. apply N.eqb_refl.
Qed.
Lemma sound_ack s c told : Sound (ack v s c told) s.
Proof.
  unfold ack. destruct (pfind c (t_props s)) as [pr|] eqn:F; [|exact I].
  destruct (at_ v (nep c)) as [fc|] eqn:E; [|exact I].
  apply sound_need; intros Hq. apply sound_need; intros _.
  intros x h Q R. pose proof (chosen_ok _ _ _ env_is _ _ _ _ _ _ _ Q F E Hq) as Ch.
  destruct (q_props _ _ _ _ _ _ Q _ _ F) as [[[par Pr] Tr] _].
  set (s1 := if N.odd (nep c) && negb (memn (nep c) (t_K s)) then settled s (nep c) else s).
  assert (X1 : exists x1, mreachable x1 /\ Rel s1 x1 h /\ co x1 = co x).
  { unfold s1. destruct (N.odd (nep c) && negb (memn (nep c) (t_K s))) eqn:G; [|exists x; auto].
    apply andb_true_iff in G. destruct G as [Od N%negb_true_iff].
    eexists; split; [|split; [apply rel_settled; eauto|reflexivity]].
    pose proof (not_K _ _ _ _ Q N) as Nk. destruct x as [[P A M H] Kx G Fl T J]. econstructor; [exact R|].
    eapply (@m_settle_value MI) with (l := N.to_nat (nep c)) (f := B c); [exact Nk|reflexivity| |exact Ch].
    destruct (nep c); [discriminate|lia]. }
  destruct X1 as (x1 & Rx & Q1 & Co). rewrite <- Co in *. clear Q Co.
  destruct x1 as [[P A M H] Kx G Fl T J]. cbn in *. eexists. split.
  - econstructor; [exact Rx|]. eapply (@m_ack MI) with (c := B c); [exact Ch|exact Pr].
  - apply rel_prune. keep Q1.
    + intros c' [X|X]; [discriminate|eauto].
    + intros n d Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [right; auto|split].
      * intros b w [W|W]; [discriminate|]. eapply Y; eauto.
      * keep_given Z.
    + intros r0 [X|X]; [discriminate|auto].
    + constructor; cbn; auto.
Qed.

(** ** One-round reads *)
Lemma sound_read s n e tag : Sound (read s n e tag) s.
Proof.
  intros x h Q R. assert (New : ~ In (@RInv (@Reg MI) (rid (e, t_next s))) (hist (co x))).
  { intros X. apply (q_next _ _ _ _ _ _ Q) in X. cbn in X. lia. }
  assert (NewA : forall b w, ~ In (@RAck (@Reg MI) (rid (e, t_next s)) b w) (hist (co x))).
  { intros b w X. destruct (m_reachable _ R) as [RR _].
    destruct (h_rack _ (hist_reachable _ RR) _ _ _ X) as (_ & _ & Y). auto. }
  destruct x as [[P A M H] Kx G F T J]. cbn in *. eexists. split.
  - econstructor; [exact R|]. apply (@m_rinv MI) with (r := rid (e, t_next s)); auto.
  - keep Q.
    + intros c [X|X]; [discriminate|eauto].
    + intros n' d. destruct (Pos.eq_dec n n') as [->|N].
      * rewrite PM.gss. intros X; injection X; intros <-. cbn. split; [left; auto|split].
        -- intros b w [W|W]; [discriminate|]. eapply NewA; eauto.
        -- intros ? ? ? ? [].
      * rewrite PM.gso by auto. intros Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [right; auto|split].
        -- intros b w [W|W]; [discriminate|]. eapply Y; eauto.
        -- keep_given Z.
    + assert (Old : forall n' d, PM.find n' (t_reads s) = Some d -> snd (d_id d) <> t_next s).
      { intros n' d Fd X. destruct (Qr _ _ Fd) as (Y & _). apply Qn in Y. cbn in Y. lia. }
      intros n1 d1 n2 d2. destruct (Pos.eq_dec n n1) as [E1|N1], (Pos.eq_dec n n2) as [E2|N2];
        try rewrite <- E1; try rewrite <- E2; rewrite ?PM.gss, ?PM.gso by auto; auto.
      * intros X Y Z. injection X; intros <-. cbn in Z. exfalso. eapply Old; eauto.
      * intros X Y Z. injection Y; intros <-. cbn in Z. exfalso. eapply Old; eauto.
      * eauto.
    + intros r [X|X]; [injection X; intros <-; cbn; lia|]. apply Qn in X. lia.
    + constructor; cbn; auto.
Qed.

Lemma env_at e fc : at_ v e = Some fc -> describes (conf M0 chs) (N.to_nat e) fc.
Proof. apply env_ok; auto. Qed.
Lemma sound_op_reply s a n d fc : PM.find n (t_reads s) = Some d -> at_ v (fst (d_id d)) = Some fc ->
  (nep (p_prom (slot_of s a)) =? fst (d_id d))%N = true -> Sound (Ok (op_reply fc s a n d) []) s.
Proof.
  intros Fn E Eg%N.eqb_eq x h Q R. pose proof (answer_ok _ _ _ env_is folds _ _ _ _ _ a Q E) as An.
  pose proof (q_prom _ _ _ _ _ _ Q a) as Ep. pose proof (q_acc _ _ _ _ _ _ Q a) as Ea.
  destruct (q_reads _ _ _ _ _ _ Q _ _ Fn) as (Ri & Ra & Rg).
  destruct x as [[P A M H] Kx G F T J]. cbn in Ep, Ea, An, Ri, Ra. eexists. split.
  - econstructor; [exact R|]. apply (@m_reply MI) with (a := a) (r := rid (d_id d)); [exact Ri|].
    cbn -[B ep]. rewrite Ep, B_ep, Eg. reflexivity.
  - unfold op_reply. keep Q.
    + intros n' d'. destruct (Pos.eq_dec n n') as [En|Nn].
      * rewrite <- En, PM.gss. intros X; injection X; intros <-. cbn. split; [auto|split; [auto|]].
        intros a' b w y [I|I].
        -- injection I; intros; subst. eexists; split; [eexists; reflexivity|]. left. cbn in Ea. rewrite Ea.
           cbn [fst snd]. f_equal. symmetry. exact An.
        -- destruct (Rg _ _ _ _ I) as (g & Eg' & Z). exists g. split; [exact Eg'|cbn; auto].
      * rewrite PM.gso by auto. intros Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [auto|split; [auto|]].
        keep_given Z.
    + intros n1 d1 n2 d2. destruct (Pos.eq_dec n n1) as [E1|N1], (Pos.eq_dec n n2) as [E2|N2];
        try rewrite <- E1; try rewrite <- E2; rewrite ?PM.gss, ?PM.gso by auto; auto.
      * intros X Y Z. injection X; intros <-. cbn in Z. eapply Qd; eauto.
      * intros X Y Z. injection Y; intros <-. cbn in Z. symmetry; symmetry. eapply Qd; eauto.
      * eauto.
Qed.
Lemma floored_read fc p s a f : t_reads (floored fc p s a f) = t_reads s.
Proof. unfold floored. destruct (answer fc p a); auto. Qed.
Lemma vote_reads s a c s' o : vote v s a c = Ok s' o -> t_reads s' = t_reads s.
Proof.
  unfold vote, need. destruct (may_vote _ _); [|discriminate]. destruct (_ && _); [congruence|].
  destruct (pfind c (t_props s)); [|discriminate]. destruct (at_ v (nep c)); [|discriminate].
  destruct (memberb _ _); [|discriminate]. destruct (_ =? _)%N; [|discriminate]. destruct (nble _ _); [|discriminate].
  intros X; injection X; intros; subst; auto.
Qed.
Lemma promise_if_reads s a g : t_reads (promise_if v s a g) = t_reads s.
Proof. unfold promise_if. destruct (at_ v _); auto. destruct (_ && _)%bool; auto. Qed.
Lemma catch_up_reads s a m : t_reads (catch_up v s a m) = t_reads s.
Proof.
  unfold catch_up. destruct (_ || _); auto. destruct (vote v s a m) eqn:E; auto.
  rewrite promise_if_reads. eapply vote_reads; eauto.
Qed.
Lemma sound_reply s a n tag m f : Sound (reply v s a n tag m f) s.
Proof.
  unfold reply. destruct (PM.find n (t_reads s)) as [d|] eqn:Fn; [|apply sound_same].
  destruct (negb _); [apply sound_same|]. set (s1 := catch_up v s a m).
  assert (S1 : Sound (Ok s1 []) s) by (apply sound_catch_up; auto).
  assert (F1 : PM.find n (t_reads s1) = Some d) by (unfold s1; rewrite catch_up_reads; auto).
  apply sound_need; intros _. apply sound_need; intros Eg.
  destruct (at_ v (fst (d_id d))) as [fc|] eqn:E; [|exact I].
  destruct (agrees fc (slot_of s1 a) a m f) eqn:Ag; [exact I|].
  eapply sound_after0; [exact S1|]. eapply sound_after0; [eapply sound_floored; exact Ag|].
  apply sound_op_reply; auto; [rewrite floored_read; auto|rewrite floored_prom; auto].
Qed.

Lemma top_ok l a m w f : In (a, (m, (w, Some f))) l -> (f <= top l)%N.
Proof.
  induction l as [|[a' [m' [w' y]]] l IH]; cbn; [tauto|]. intros [E|J]; [injection E; intros; subst; lia|].
  specialize (IH J). lia.
Qed.
Lemma rsees_ok s x h n d b fc c : Rel s x h -> mreachable x -> PM.find n (t_reads s) = Some d ->
  at_ v (fst (d_id d)) = Some fc -> let l := filter (reports fc b) (d_reps d) in
  quorumb fc (map fst l) = true -> nbeq b nzero || survb v (nep b) (map fst l) = true ->
  (if nbeq b nzero then Some (nabsent (top l)) else cell_at b l) = Some c ->
  @rsees MI (co x) (rid (d_id d)) (B b) (cell_of c) (map fst l).
Proof.
  intros Q R F E l Hq Su Ce. destruct (q_reads _ _ _ _ _ _ Q _ _ F) as (_ & _ & Gv).
  assert (Iq : forall a m w y, In (a, (m, (w, y))) l -> @member MI (@repoch MI (rid (d_id d))) a /\
    (exists g, msgs (co x) (@Reply (@Reg MI) a (rid (d_id d)) g (B m) (cell_of w) (option_map N.to_nat y))) /\
    if nbeq b nzero then y <> None else m = b /\ y = None).
  { intros a m w y J. apply filter_In in J. destruct J as [J U]. cbn in U. apply andb_true_iff in U.
    destruct U as [Me U]. split; [apply (memb_ok _ _ _ env_is _ _ _ _ E Me)|].
    destruct (Gv _ _ _ _ J) as (g & (p & ->) & Pm). split; [eauto|]. destruct (nbeq b nzero).
    - destruct y; [discriminate|discriminate U].
    - apply andb_true_iff in U. destruct U as [U1 U2]. apply nbeq_ok in U1. destruct y; [discriminate|auto]. }
  destruct (nbeq b nzero) eqn:Z.
  - right. injection Ce; intros <-. exists (N.to_nat (top l)). split; [reflexivity|].
    intros a J. destruct (in_map_answer _ _ J) as (m & w & y & J'). destruct (Iq _ _ _ _ J') as (Me & (g & Pm) & U).
    split; auto. destruct y as [f|]; [|congruence]. exists g, (B m), (cell_of w), (N.to_nat f). split; [exact Pm|].
    pose proof (top_ok _ _ _ _ _ J'). lia.
  - left. cbn [orb] in Su. apply nbeq_not in Z. change (B nzero) with zero in Z.
    destruct (cell_at_in _ _ _ Ce) as [a0 J0].
    destruct (Iq _ _ _ _ J0) as (_ & (g0 & P0) & _).
    assert (Vt : forall a g w y, msgs (co x) (@Reply (@Reg MI) a (rid (d_id d)) g (B b) w y) -> msgs (co x) (@Vote (@Reg MI) a (B b) w)).
    { intros a g w y P. destruct (i_reply _ (safe _ _ _ _ R) _ _ _ _ _ _ P) as [[? _]|W]; [congruence|auto]. }
    split; auto. split; [|split].
    + pose proof (surv_ok _ _ _ env_is folds _ _ Su) as X. exact X.
    + exists a0. apply in_map_iff. exists (a0, (b, (c, None))); auto.
    + intros a J. destruct (in_map_answer _ _ J) as (m & w & y & J').
      destruct (Iq _ _ _ _ J') as (Me & (g & Pm) & (-> & ->)). split; auto. exists g.
      rewrite (one_value_per_ballot _ _ _ _ _ _ (proj1 (m_reachable _ R)) (Vt _ _ _ _ P0) (Vt _ _ _ _ Pm)).
      exact Pm.
Qed.
Lemma sound_returned s n tag b r w : Sound (returned v s n tag b r w) s.
Proof.
  unfold returned. destruct (PM.find n (t_reads s)) as [d|] eqn:F; [|exact I].
  apply sound_need; intros _. destruct (at_ v (fst (d_id d))) as [fc|] eqn:E; [|exact I].
  apply sound_need; intros Hq. apply sound_need; intros Su.
  destruct (if nbeq b nzero then _ else _) as [c|] eqn:Ce; [|exact I]. apply sound_need; intros _ x h Q R.
  pose proof (rsees_ok _ _ _ _ _ _ _ _ Q R F E Hq Su Ce) as Se.
  pose proof (quorum_ok _ _ _ env_is folds _ _ _ E Hq) as Hq'. destruct (m_reachable _ R) as [RR Iv].
  destruct (@read_exists MI x (rid (d_id d)) (B b) (cell_of c) _ Iv RR Hq' Se) as (b' & u & Cov).
  destruct (q_reads _ _ _ _ _ _ Q _ _ F) as (Ri & Ra & _).
  destruct x as [[P A M H] Kx G Fl T J]. cbn in Ri, Ra. eexists. split.
  - econstructor; [exact R|]. eapply (@m_rack MI) with (r := rid (d_id d)) (b := B b); eauto.
  - keep Q.
    + intros c' [X|X]; [discriminate|eauto].
    + intros n' d'. destruct (Pos.eq_dec n' n) as [->|Nn]; [rewrite PM.grs; discriminate|rewrite PM.gro by auto].
      intros Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [right; auto|split; [|keep_given Z]].
      intros b0 w0 [W|W]; [|eapply Y; eauto]. injection W; intros. apply Nn. eapply Qd; eauto.
      symmetry; apply N2Nat.inj; auto.
    + intros n1 d1 n2 d2. destruct (Pos.eq_dec n1 n) as [->|N1]; [rewrite PM.grs; discriminate|rewrite PM.gro by auto].
      destruct (Pos.eq_dec n2 n) as [->|N2]; [rewrite PM.grs; discriminate|rewrite PM.gro by auto]. eauto.
    + intros r0 [X|X]; [discriminate|auto].
    + constructor; cbn; auto.
Qed.

(** ** Erasure *)
Lemma sound_erase s a t : Sound (erase v s a t) s.
Proof.
  unfold erase. apply sound_need; intros _. apply sound_need; intros G1. apply andb_true_iff in G1.
  destruct G1 as [Et Nz]. apply nbeq_ok in Et. apply negb_true_iff, nbeq_not in Nz. change (B nzero) with zero in Nz.
  destruct (p_gone (slot_of s a)) eqn:Gn; [apply sound_same|].
  destruct (pfind t (t_props s)) as [pr|] eqn:F; [|exact I]. destruct (at_ v (nep t)) as [fc|] eqn:E; [|exact I].
  apply sound_need; intros G2. apply andb_true_iff in G2. destruct G2 as [G2 Al].
  apply andb_true_iff in G2. destruct G2 as [Ab Hq]. rewrite forallb_forall in Al.
  apply sound_need; intros G3 x h Q R. apply andb_true_iff in G3. destruct G3 as [Ev Eg%N.eqb_eq].
  pose proof (chosen_ok _ _ _ env_is _ _ _ _ _ _ _ Q F E Hq) as Ch.
  destruct (q_props _ _ _ _ _ _ Q _ _ F) as [[[par Pr] _] Vo].
  pose proof (q_prom _ _ _ _ _ _ Q a) as Ep. pose proof (q_acc _ _ _ _ _ _ Q a) as Ea.
  destruct (env_at _ _ E) as (_ & Eo & En & _).
  assert (Sf : Safe (co x)) by (apply (safe _ _ _ _ R)).
  assert (Ce : cell_of (p_cell (slot_of s a)) = cell_of (b_cell pr)).
  { destruct (i_accv _ Sf a) as [X|X]; rewrite Ea in X; [injection X; intros _ Y; rewrite Et in Nz; congruence|].
    cbn [fst snd] in X. rewrite <- Et in X. destruct (i_vote _ Sf _ _ _ X) as (_ & p & pv & X').
    destruct (i_uniq _ Sf _ _ _ _ _ _ _ X' Pr) as (-> & _). auto. }
  assert (Tb : @tomb MI (co x) (fst (acc (co x) a)) (snd (acc (co x) a))).
  { rewrite Ea. cbn [fst snd]. rewrite <- Et, Ce. right. split; [pose proof (zero_least (B t)); order|].
    split; auto. split; [right; eauto|]. split.
    - cbn. destruct (ncontent (b_cell pr)); [discriminate|auto].
    - intros a' Ma. apply Vo, memp_ok, Al. unfold members. apply in_app_iff. rewrite Eo, En. exact Ma. }
  assert (Ev' : Nat.even (ep (fst (acc (co x) a))) = true).
  { rewrite Ea. cbn [fst]. rewrite <- Et, B_ep, <- (even_of (N.to_nat (nep t))), N2Nat.id. auto. }
  assert (Eg' : ep (prom (co x) a) = ep (fst (acc (co x) a))).
  { rewrite Ep, Ea. cbn [fst]. rewrite <- Et. apply ep_eq; auto. }
  destruct x as [[P A M H] Kx G Fl T J]. cbn in Tb, Ev', Eg', Ea. eexists. split.
  - econstructor; [exact R|]. apply (@m_erase MI) with (a := a); auto.
  - keep Q.
    rewrite Qf, Ea. cbn. unfold slot_of. lia.
Qed.

(** ** Changes of membership *)
Lemma opened_sound s l s' e fc : at_ v e = Some fc -> fc_lo fc = l -> opened_ v s l = Some s' ->
  Sound (Ok s' []) s /\ t_slots s' = t_slots s /\
  forall x h, Rel s' x h -> @opened MI (K x) (N.to_nat e).
Proof.
  intros E El. destruct (env_at _ _ E) as (_ & _ & _ & Lo & _). rewrite El in Lo.
  unfold opened_. destruct (_ || _)%bool eqn:G.
  - intros X; injection X; intros <-. split; [apply sound_same|split; auto]. intros x h Q.
    apply orb_true_iff in G. destruct G as [G|G].
    + left. cbn. rewrite <- Lo. apply N.eqb_eq in G. lia.
    + right. cbn. rewrite <- Lo. apply (q_K _ _ _ _ _ _ Q). apply existsb_exists in G.
      destruct G as (l' & J & ->%N.eqb_eq). auto.
  - apply orb_false_iff in G. destruct G as [G0 G1].
    destruct (N.odd l && voted v s l)%bool eqn:V.
    { intros X; injection X; intros <-. split; [|split; [reflexivity|]].
      - apply andb_true_iff in V. destruct V as [Od V]. unfold voted in V.
        destruct (at_ v l) as [fl|] eqn:E1; [|discriminate]. apply existsb_exists in V.
        destruct V as ([c p0] & _ & V). cbn [fst] in V. apply andb_true_iff in V. destruct V as [<-%N.eqb_eq V].
        destruct (pfind c (t_props s)) as [pr|] eqn:F; [|discriminate].
        intros x h Q R. pose proof (chosen_ok _ _ _ env_is _ _ _ _ _ _ _ Q F E1 V) as Ch.
        eexists; split; [|apply rel_settled; exact Q]. pose proof (not_K _ _ _ _ Q G1) as Nk.
        destruct x as [[P A M H] Kx G Fl T J]. econstructor; [exact R|].
        eapply (@m_settle_value MI) with (l := N.to_nat (nep c)) (f := B c); [exact Nk|reflexivity| |exact Ch].
        destruct (nep c); [discriminate|lia].
      - intros x h Q. right. cbn. rewrite <- Lo. apply (q_K _ _ _ _ _ _ Q). left; auto. }
    clear V. unfold settle_absent.
    destruct (t_list s) as [d|] eqn:Td; [|discriminate]. destruct (at_ v l) as [fl|] eqn:E1; [|discriminate].
    destruct (at_ v (l + 1)) as [fl'|] eqn:E2; [|discriminate].
    destruct (_ && _)%bool eqn:G2; [|discriminate]. intros X; injection X; intros <-.
    apply andb_true_iff in G2. destruct G2 as [G2 M2]. apply andb_true_iff in G2. destruct G2 as [G2 M1].
    apply andb_true_iff in G2. destruct G2 as [Od Dl%N.eqb_eq].
    destruct (env_at _ _ E1) as (_ & Eo & _ & _ & _ & Do & _).
    destruct (env_at _ _ E2) as (_ & Eo' & _ & _ & _ & Do' & _).
    apply (maj_ok _ _ Do) in M1. apply (maj_ok _ _ Do') in M2. rewrite Eo in M1. rewrite Eo' in M2.
    split; [|split; [reflexivity|]].
    + intros x h Q R. eexists; split; [|apply rel_settled; eauto].
      destruct (q_list _ _ _ _ _ _ Q _ Td) as (Ri & Rg). pose proof (not_K _ _ _ _ Q G1) as Nk.
      pose proof (q_joined _ _ _ _ _ _ Q) as Jo.
      destruct x as [[P A M H] Kx G Fl T J]. econstructor; [exact R|].
      eapply (@m_settle_absent MI) with (l := N.to_nat l) (r := rid (d_id d)) (q := map fst (d_reps d))
        (q2 := fun a => In a (map fst (filter (fun x => N.eqb (snd x) l) (t_joined s)))).
      * exact Nk.
      * rewrite <- (odd_of (N.to_nat l)), N2Nat.id. auto.
      * cbn. rewrite Dl. auto.
      * exact M1.
      * exact Rg.
      * cbn. unfold surv_. replace (N.to_nat l + 1) with (N.to_nat (l + 1)) by lia. exact M2.
      * intros a Ja. apply in_map_iff in Ja. destruct Ja as ([a' l'] & <- & Ja). apply filter_In in Ja.
        destruct Ja as [Ja El']. cbn in El'. apply N.eqb_eq in El'. rewrite El' in Ja. apply Jo; auto.
    + intros x h Q. right. cbn. rewrite <- Lo. apply (q_K _ _ _ _ _ _ Q). left; auto.
Qed.
Lemma sound_install s a e : Sound (install v s a e) s.
Proof.
  unfold install. destruct (_ =? e)%N; [apply sound_same|]. apply sound_need; intros L%N.ltb_lt. destruct (at_ v e) as [fc|] eqn:E; [|exact I].
  destruct (opened_ v s (fc_lo fc)) as [s1|] eqn:O; [|exact I].
  destruct (opened_sound _ _ _ _ _ E eq_refl O) as (S1 & Sl & Op).
  eapply sound_after0; [exact S1|]. intros x h Q R.
  specialize (Op _ _ Q). pose proof (q_prom _ _ _ _ _ _ Q a) as Ep.
  assert (Es : slot_of s1 a = slot_of s a) by (unfold slot_of; rewrite Sl; auto).
  destruct x as [[P A M H] Kx G F T J]. cbn in Ep, Op. eexists. split.
  - econstructor; [exact R|]. apply (@m_install MI) with (a := a) (e := N.to_nat e); [|exact Op].
    cbn -[B ep]. rewrite Ep, B_ep, Es. lia.
  - keep Q.
Qed.
Lemma sound_tell s a f : Sound (tell s a f) s.
Proof.
  unfold tell. apply sound_need; intros L. eapply sound_after0; [apply sound_raise; exact L|]. intros x h Q R.
  pose proof (q_prom _ _ _ _ _ _ Q a) as Ep. pose proof (q_fl _ _ _ _ _ _ Q a) as Ef.
  assert (E1 : p_prom (slot_of (raise s a f) a) = p_prom (slot_of s a) /\ p_fl (slot_of (raise s a f) a) = f).
  { unfold raise, put, slot_of; cbn. rewrite slot_put. destruct (Pos.eq_dec a a); [auto|congruence]. }
  destruct E1 as [E1 E2]. rewrite E1 in Ep. rewrite E2 in Ef.
  destruct x as [[P A M H] Kx G F T J]. cbn in Ep, Ef. eexists. split.
  - econstructor; [exact R|]. apply (@m_tell MI) with (a := a). reflexivity.
  - keep Q. intros a' l' f' [X|X]; [|apply filter_In in X; right; apply Qo; tauto]. injection X; intros; subst. left.
    rewrite Ef. split; auto. split; auto. cbn. rewrite Ep. auto.
Qed.
Lemma sound_join s a l f : Sound (join v s a l f) s.
Proof.
  unfold join. apply sound_need; intros L. destruct (at_ v l) as [fc|] eqn:E; [|exact I].
  apply sound_need; intros Mj. eapply sound_after0; [apply sound_raise; exact L|]. intros x h Q R.
  destruct (env_at _ _ E) as (_ & Eo & _ & _ & _ & Do & _). apply (maj_ok _ _ Do) in Mj. rewrite Eo in Mj.
  pose proof (q_told _ _ _ _ _ _ Q) as Td. pose proof (q_fl _ _ _ _ _ _ Q a) as Ef.
  assert (E2 : p_fl (slot_of (raise s a f) a) = f).
  { unfold raise, put, slot_of; cbn. rewrite slot_put. destruct (Pos.eq_dec a a); [auto|congruence]. }
  rewrite E2 in Ef. destruct x as [[P A M H] Kx G F T J]. cbn in Td, Ef. eexists. split.
  - econstructor; [exact R|]. eapply (@m_join MI) with (a := a) (l := N.to_nat l); [exact Mj|].
    intros a' Ja. apply in_map_iff in Ja. destruct Ja as ([a1 [l1 f1]] & <- & Ja). apply filter_In in Ja.
    destruct Ja as [Ja G1]. cbn in G1. apply andb_true_iff in G1. destruct G1 as [->%N.eqb_eq Lf%N.leb_le].
    exists (N.to_nat f1). split; [apply Td; auto|]. rewrite Ef. lia.
  - keep Q. intros a' l' [X|X]; [injection X; intros; subst; auto|apply filter_In in X; right; apply Qj; tauto].
Qed.
Lemma sound_listing s e s' o d x h : listing s e = (s', o, d) -> Rel s x h -> mreachable x ->
  t_slots s' = t_slots s /\ fst (d_id d) = e /\ exists y, mreachable y /\ Rel s' y (o ++ h) /\
  In (@RInv (@Reg MI) (rid (d_id d))) (hist (co y)) /\
  forall a, In a (map fst (d_reps d)) -> exists g m w f, msgs (co y) (@Reply (@Reg MI) a (rid (d_id d)) g m w (Some f)).
Proof.
  intros Li Q R.
  assert (New : Rel (with_reads s (t_reads s) (t_next s + 1)) (M_ (St (prom (co x)) (acc (co x)) (msgs (co x))
    (@RInv (@Reg MI) (rid (e, t_next s)) :: hist (co x))) (K x) (gone x) (fl x) (told x) (joined x))
    (NRInv (e, t_next s) :: h)).
  { destruct x as [[P A M H] Kx G F T J]. keep Q.
    - intros c [X|X]; [discriminate|eauto].
    - intros n0 d0 Fd. destruct (Qr _ _ Fd) as (X & Y & Z). split; [right; auto|split].
      + intros b w [W|W]; [discriminate|]. eapply Y; eauto.
      + keep_given Z.
    - intros r [X|X]; [injection X; intros <-; cbn; lia|]. apply Qn in X. lia.
    - constructor; cbn; auto. }
  assert (Step : mreachable (M_ (St (prom (co x)) (acc (co x)) (msgs (co x))
    (@RInv (@Reg MI) (rid (e, t_next s)) :: hist (co x))) (K x) (gone x) (fl x) (told x) (joined x))).
  { assert (N : ~ In (@RInv (@Reg MI) (rid (e, t_next s))) (hist (co x))).
    { intros X. apply (q_next _ _ _ _ _ _ Q) in X. cbn in X. lia. }
    destruct x as [[P A M H] Kx G F T J]. econstructor; [exact R|]. apply (@m_rinv MI) with (r := rid (e, t_next s)).
    auto. }
  assert (Fresh : (with_reads s (t_reads s) (t_next s + 1), [NRInv (e, t_next s)], Reading (e, t_next s) 0 []) =
    (s', o, d) -> t_slots s' = t_slots s /\ fst (d_id d) = e /\ exists y, mreachable y /\ Rel s' y (o ++ h) /\
    In (@RInv (@Reg MI) (rid (d_id d))) (hist (co y)) /\ forall a, In a (map fst (d_reps d)) ->
      exists g m w f, msgs (co y) (@Reply (@Reg MI) a (rid (d_id d)) g m w (Some f))).
  { intros X. injection X; intros <- <- <-. split; [reflexivity|split; [reflexivity|]]. eexists.
    split; [exact Step|split; [exact New|split; [left; reflexivity|intros ? []]]]. }
  unfold listing in Li. destruct (t_list s) as [d0|] eqn:Td; [|auto].
  destruct (fst (d_id d0) =? e)%N eqn:Ee; [|auto]. injection Li; intros; subst. apply N.eqb_eq in Ee.
  split; [auto|split; [auto|]]. exists x. split; [auto|split; [auto|]]. apply (q_list _ _ _ _ _ _ Q _ Td).
Qed.
Lemma sound_unlisted s a f : Sound (unlisted v s a f) s.
Proof.
  unfold unlisted. apply sound_need; intros _. destruct (at_ v (nep (p_prom (slot_of s a)))) as [fc|] eqn:E; [|exact I].
  destruct (answer fc (slot_of s a) a) as [f0|] eqn:An; [|exact I]. apply sound_need; intros L.
  destruct (listing (raise s a f) (nep (p_prom (slot_of s a)))) as [[s2 o] d] eqn:Li.
  assert (Ef : f0 = p_fl (slot_of s a)).
  { unfold answer in An. destruct (_ || _)%bool; congruence. }
  subst f0. pose proof (sound_raise M0 chs folds _ _ _ L) as S1. intros x h Q R.
  destruct (S1 x h Q R) as (x1 & Rx & Q1). cbn [app] in Q1.
  destruct (sound_listing _ _ _ _ _ _ _ Li Q1 Rx) as (Sl & De & x2 & R2 & Q2 & Ri & Rg).
  assert (Es : p_prom (slot_of s2 a) = p_prom (slot_of s a) /\ answer fc (slot_of s2 a) a = Some f).
  { unfold slot_of in *. rewrite Sl. unfold raise, put; cbn. rewrite slot_put.
    destruct (Pos.eq_dec a a); [|congruence]. split; auto. unfold answer in *; cbn. destruct (_ || _)%bool; congruence. }
  destruct Es as [Es An2]. rewrite <- De in E.
  pose proof (answer_ok _ _ _ env_is folds _ _ _ _ _ a Q2 E) as Am. rewrite An2 in Am.
  pose proof (q_prom _ _ _ _ _ _ Q2 a) as Ep.
  destruct x2 as [[P A M H] Kx G F T J]. cbn in Ep, Am, Ri, Rg. eexists. split.
  - econstructor; [exact R2|]. apply (@m_reply MI) with (a := a) (r := rid (d_id d)); [exact Ri|].
    cbn -[B ep]. rewrite Ep, B_ep, Es, De. reflexivity.
  - unfold op_unlisted. keep Q2.
    intros d' X. injection X; intros <-. cbn. split; auto. intros a' [<-|J'].
    + do 4 eexists. left. f_equal. symmetry. exact Am.
    + destruct (Rg _ J') as (g & m & w & f' & Y). do 4 eexists. right. exact Y.
Qed.

(** ** All of it *)
Definition agrees_with (e : event_) := match e with
  | EPropose c _ _ qs _ => folds (B c) = map request_of qs | _ => True end.
Theorem sound_check s e : agrees_with e -> Sound (check v s e) s.
Proof.
  destruct e; cbn [check agrees_with]; intros Ag.
  - apply sound_install.
  - apply sound_tell.
  - apply sound_join.
  - apply sound_unlisted.
  - apply sound_promise; auto.
  - apply sound_prepare.
  - apply sound_propose; auto.
  - apply sound_then; [apply sound_vote; auto|]. intros. apply sound_promise_if; auto.
  - apply sound_ack.
  - apply sound_read.
  - apply sound_reply.
  - apply sound_returned.
  - apply sound_erase.
  - apply sound_damaged.
Qed.
End SoundReads.
