(** [linearizability]: every reachable history of Model.v is linearizable in the
    sense of Herlihy and Wing.

    The linearization is the chain of parents of the highest acknowledged ballot,
    each fold followed by the reads that returned it. *)
From Coq Require Import List.
From Synod Require Import Ballot Model Safety History.
Import ListNotations.

Section Linearizable.
Context {Reg : Register}.

Ltac bcons K := apply before_cons in K; destruct K as [[? K]|K].
(** ** building the sequential execution: the chain of descent of the highest
    acknowledged ballot, each write followed by the reads that returned it *)
Inductive sel : list event -> ballot -> list op -> Prop :=
| sel_nil b : sel [] b []
| sel_yes h b l r v : sel h b l -> sel (RAck r b v :: h) b (l ++ [OR r v])
| sel_no h b l e : sel h b l -> (forall r v, e <> RAck r b v) -> sel (e :: h) b l.

Lemma sel_exists h b : exists l, sel h b l.
Proof.
  induction h as [|e h [l IH]]; [exists []; constructor|].
  destruct e as [c|c v|r|r b' v]; try (exists l; constructor; [auto|discriminate]).
  destruct (ballot_dec b' b) as [->|N]; [eexists; econstructor 2; eauto|].
  exists l; constructor; auto. intros ? ? E; inversion E; auto.
Qed.

Lemma sel_in h b l o : sel h b l -> (In o l <-> exists r v, o = OR r v /\ In (RAck r b v) h).
Proof.
  induction 1 as [|h b l r v _ IH|h b l e _ IH N]; cbn.
  - split; [tauto|intros (? & ? & ? & ?); auto].
  - rewrite in_app_iff, IH; cbn. split.
    + intros [(r' & v' & ? & ?)|[<-|[]]]; eauto 7.
    + intros (r' & v' & -> & [E|?]); [inversion E; auto|eauto].
  - rewrite IH. split; intros (r' & v' & E & K); exists r', v'; split; auto.
    destruct K as [K|?]; auto. exfalso; eapply N; eauto.
Qed.

Lemma prec_app_l {X} (l l' : list X) x y : precedes l x y -> precedes (l ++ l') x y.
Proof. intros (l1 & l2 & -> & K). exists l1, (l2 ++ l'). rewrite <- app_assoc. cbn. rewrite in_app_iff; auto. Qed.
Lemma prec_app_r {X} (l l' : list X) x y : precedes l' x y -> precedes (l ++ l') x y.
Proof. intros (l1 & l2 & -> & K). exists (l ++ l1), l2. rewrite <- app_assoc; auto. Qed.
Lemma prec_app {X} (l l' : list X) x y : In x l -> In y l' -> precedes (l ++ l') x y.
Proof. intros (l1 & l2 & ->)%in_split K. exists l1, (l2 ++ l'). rewrite <- app_assoc; cbn. rewrite in_app_iff; auto.
    Qed.

Lemma sel_order h b l r1 v1 r2 v2 : sel h b l ->
  Before h (RAck r1 b v1) (RAck r2 b v2) -> precedes l (OR r1 v1) (OR r2 v2).
Proof.
  induction 1 as [|h b l r v K IH|h b l e K IH N]; intros J.
  - destruct (before_in _ _ _ J) as [[] _].
  - bcons J; [|apply prec_app_l; auto]. inversion H; subst.
    apply prec_app; cbn; auto. rewrite (sel_in _ _ _ _ K). eauto.
  - bcons J; [|auto]. exfalso; eapply N; eauto.
Qed.

Inductive lin s : ballot -> V -> list op -> Prop :=
| lin_zero l : sel (hist s) zero l -> lin s zero init l
| lin_step c p v pv l l' : msgs s (Propose c (chg c pv) p pv) -> lin s p v l -> blur v pv ->
    sel (hist s) c l' -> lin s c (chg c pv) (l ++ OW c pv :: l').

Lemma lin_exists s c v : Safe s -> valof s c v -> exists l, lin s c v l.
Proof.
  intros I; revert v; induction c as [c IH] using (well_founded_ind lt_wf).
  intros v [[-> ->]|(p & pv & P)].
  - destruct (sel_exists (hist s) zero) as [l ?]; exists l; constructor; auto.
  - destruct (i_prop _ I _ _ _ _ P) as (_ & L & _ & (-> & v0 & Vp & Bl) & _).
    destruct (IH p L v0 Vp) as [l ?]. destruct (sel_exists (hist s) c) as [l' ?].
    eexists; econstructor; eauto.
Qed.

(** where an operation sits *)
Definition at_ s (b : ballot) (o : op) :=
  match o with
  | OW c pv => c = b /\ exists v p, msgs s (Propose c v p pv)
  | OR r v => In (RAck r b v) (hist s)
  end.

Lemma lin_valof s c v l : lin s c v l -> valof s c v.
Proof. destruct 1; [left; auto|right; eauto]. Qed.

Lemma lin_in s c v l o : Safe s -> lin s c v l -> (In o l <-> exists b, anc s b c /\ at_ s b o).
Proof.
  intros I; induction 1 as [l K|c p u pv l l' P L IH Bl K].
  - rewrite (sel_in _ _ _ _ K). split.
    + intros (r & v & -> & J). exists zero; split; [constructor|exact J].
    + intros (b & Hb & J).
      assert (b = zero).
      { inversion Hb as [|? ? ? ? P]; subst; auto. destruct (i_prop _ I _ _ _ _ P) as (? & _); order. }
      subst b. destruct o as [c pv|r v]; cbn in J; [|eauto].
      destruct J as (-> & ? & p & P). destruct (i_prop _ I _ _ _ _ P) as (? & _); order.
  - rewrite in_app_iff; cbn. rewrite IH, (sel_in _ _ _ _ K). split.
    + intros [(b & ? & ?)|[<-|(r & v & -> & J)]].
      * exists b; split; auto; econstructor; eauto.
      * exists c; split; [constructor|]. cbn; eauto.
      * exists c; split; [constructor|exact J].
    + intros (b & Hb & J). inversion Hb as [|? v' p' pv' P' Hb']; subst.
      * right. destruct o as [c' pv'|r v]; cbn in J; [|right; eauto].
        destruct J as (-> & v' & p' & P'). destruct (i_uniq _ I _ _ _ _ _ _ _ P P') as (_ & <- & <-). auto.
      * destruct (i_uniq _ I _ _ _ _ _ _ _ P P') as (_ & <- & <-). left; eauto.
Qed.

Lemma lin_order s c v l b1 b2 o1 o2 : Safe s -> lin s c v l ->
  anc s b1 c -> anc s b2 c -> at_ s b1 o1 -> at_ s b2 o2 -> b1 << b2 -> precedes l o1 o2.
Proof.
  intros I L; revert b1 b2 o1 o2; induction L as [l K|c p u pv l l' P L IH Bl K]; intros b1 b2 o1 o2 H1 H2 A1 A2 X.
  - pose proof (anc_le _ _ _ I H2). pose proof (anc_le _ _ _ I H1).
    inversion H2 as [|? ? ? ? P]; subst; [|destruct (i_prop _ I _ _ _ _ P) as (? & _); order].
    inversion H1 as [|? ? ? ? P]; subst; [|destruct (i_prop _ I _ _ _ _ P) as (? & _); order]. order.
  - inversion H1 as [|? v1 p1 pv1 P1 H1']; subst; [pose proof (anc_le _ _ _ I H2); order|].
    destruct (i_uniq _ I _ _ _ _ _ _ _ P P1) as (_ & <- & <-).
    inversion H2 as [|? v2 p2 pv2 P2 H2']; subst.
    + apply prec_app; [rewrite (lin_in _ _ _ _ _ I L); eauto|].
      destruct o2 as [c' pv'|r v]; cbn in A2.
      * destruct A2 as (-> & v' & p' & P'). destruct (i_uniq _ I _ _ _ _ _ _ _ P P') as (_ & <- & <-).
        cbn; auto.
      * right. rewrite (sel_in _ _ _ _ K); eauto.
    + destruct (i_uniq _ I _ _ _ _ _ _ _ P P2) as (_ & <- & <-). apply prec_app_l; eauto.
Qed.

Lemma lin_order_read s c v l b o r w : Safe s -> lin s c v l -> anc s b c ->
  at_ s b o -> In (RAck r b w) (hist s) ->
  (forall r' v', o = OR r' v' -> Before (hist s) (RAck r' b v') (RAck r b w)) ->
  precedes l o (OR r w).
Proof.
  intros I L; revert b; induction L as [l K|c p u pv l l' P L IH Bl K]; intros b Hb A1 J W.
  - assert (b = zero).
    { inversion Hb as [|? ? ? ? P]; subst; auto. destruct (i_prop _ I _ _ _ _ P) as (? & _); order. }
    subst b. destruct o as [c pv|r' v']; cbn in A1.
    + destruct A1 as (-> & ? & p & P). destruct (i_prop _ I _ _ _ _ P) as (? & _); order.
    + eapply sel_order; eauto.
  - inversion Hb as [|? v1 p1 pv1 P1 H1']; subst.
    + destruct o as [c' pv'|r' v']; cbn in A1.
      * destruct A1 as (-> & v' & p' & P'). destruct (i_uniq _ I _ _ _ _ _ _ _ P P') as (_ & <- & <-).
        apply prec_app_r. exists [], l'; split; auto. rewrite (sel_in _ _ _ _ K); eauto.
      * apply prec_app_r. change (OW c pv :: l') with ([OW c pv] ++ l').
        apply prec_app_r. eapply sel_order; eauto.
    + destruct (i_uniq _ I _ _ _ _ _ _ _ P P1) as (_ & <- & <-). apply prec_app_l; eauto.
Qed.

Definition after (v : V) (l : list op) : V :=
  fold_left (fun v o => match o with OW c pv => chg c pv | OR _ _ => v end) l v.
Lemma legal_app v l l' : legal v (l ++ l') <-> legal v l /\ legal (after v l) l'.
Proof.
  revert v; induction l as [|[c pv|r rv] l IH]; intros v; cbn; [tauto| |]; rewrite IH; cbn; tauto.
Qed.

Lemma sel_legal s b l v : Safe s -> Hist s -> sel (hist s) b l -> valof s b v ->
  legal v l /\ after v l = v.
Proof.
  intros I H K Vb.
  assert (J : forall o, In o l -> exists r rv, o = OR r rv /\ blur v rv).
  { intros o (r & w & -> & J)%(sel_in _ _ _ _ K). exists r, w. split; auto.
    destruct (h_rack _ H _ _ _ J) as (_ & (v0 & V0 & ?) & _).
    rewrite (valof_uniq _ _ _ _ I Vb V0); auto. }
  clear K. induction l as [|o l IH]; cbn; auto.
  destruct (J o) as (r & rv & -> & ?); cbn; auto. destruct IH; cbn in *; auto.
Qed.

Lemma lin_legal s c v l : Safe s -> Hist s -> lin s c v l ->
  legal init l /\ after init l = v.
Proof.
  intros I H; induction 1 as [l K|c p w pv l l' P L [IH1 IH2] Bl K].
  - eapply sel_legal; eauto. left; auto.
  - rewrite legal_app. unfold after in *. rewrite fold_left_app, IH2; cbn.
    destruct (sel_legal s c l' (chg c pv) I H K); [right; eauto|]. auto.
Qed.

Lemma NoDup_app {X} (l l' : list X) : NoDup l -> NoDup l' ->
  (forall x, In x l -> In x l' -> False) -> NoDup (l ++ l').
Proof.
  induction 1 as [|x l N _ IH]; cbn; auto. intros N' D. constructor.
  - rewrite in_app_iff. intros [?|?]; eauto.
  - apply IH; eauto.
Qed.

Lemma sel_nodup h b l : racku h -> sel h b l -> NoDup (map op_id l).
Proof.
  intros U; induction 1 as [|h b l r v K IH|h b l e K IH N]; cbn in *; [constructor| |].
  - destruct U as [U1 U2]. rewrite map_app; cbn. apply NoDup_app; auto.
    + constructor; [intros []|constructor].
    + intros x J [<-|[]]. apply in_map_iff in J. destruct J as (o & E & J).
      apply (sel_in _ _ _ _ K) in J. destruct J as (r' & v' & -> & J).
      cbn in E; inversion E; subst. eapply U1; eauto.
  - apply IH. destruct e; tauto.
Qed.

Lemma lin_nodup s c v l : Safe s -> Hist s -> lin s c v l -> NoDup (map op_id l).
Proof.
  intros I H; induction 1 as [l K|c p u pv l l' P L IH Bl K].
  - eapply sel_nodup; eauto. apply H.
  - destruct (i_prop _ I _ _ _ _ P) as (_ & Lp & _).
    rewrite map_app; cbn. apply NoDup_app; auto.
    + constructor; [|eapply sel_nodup; eauto; apply H].
      intros J. apply in_map_iff in J. destruct J as (o & E & J).
      apply (sel_in _ _ _ _ K) in J. destruct J as (r' & v' & -> & J). discriminate E.
    + intros x J J'. apply in_map_iff in J. destruct J as (o & <- & J).
      apply (lin_in _ _ _ _ _ I L) in J. destruct J as (b & Hb & J).
      pose proof (anc_le _ _ _ I Hb).
      destruct J' as [E|J'].
      * destruct o as [c' pv'|]; cbn in E; inversion E; subst. destruct J as [-> _]. order.
      * apply in_map_iff in J'. destruct J' as (o' & E & J').
        apply (sel_in _ _ _ _ K) in J'. destruct J' as (r' & v' & -> & J').
        destruct o as [|r v]; cbn in E; inversion E; subst. cbn in J.
        destruct (h_rack1 _ H _ _ _ _ _ J J') as [-> _]. order.
Qed.

(** some ballot is chosen and is above every acknowledged one *)
Lemma top_exists s : Safe s -> Hist s -> exists b, chosen s b /\
  forall e b', done e b' -> In e (hist s) -> b' <<= b.
Proof.
  intros I H.
  assert (G : forall h, (forall e, In e h -> In e (hist s)) ->
    exists b, chosen s b /\ forall e b', done e b' -> In e h -> b' <<= b).
  { induction h as [|e h IH]; intros Sub.
    - exists zero; split; [left; auto|]. intros ? ? _ [].
    - destruct IH as (b & C & J); [cbn in *; auto|].
      assert (X : (exists b', done e b') \/ ~ exists b', done e b').
      { destruct e; [right|left|right|left];
          try (intros (? & [[? E]|(? & ? & E)]); discriminate E).
        - exists c; left; eauto.
        - exists b0; right; eauto. }
      destruct X as [[b1 D]|N].
      + assert (U : forall b2, done e b2 -> b2 = b1).
        { intros b2 D2. destruct D as [[? ->]|(? & ? & ->)], D2 as [[? E]|(? & ? & E)]; inversion E; auto. }
        destruct (lt_or_le b b1).
        * exists b1; split; [eapply done_chosen; eauto; apply Sub; cbn; auto|].
          intros e' b' D' [<-|K]; [rewrite (U _ D'); order|]. pose proof (J _ _ D' K); order.
        * exists b; split; auto. intros e' b' D' [<-|K]; [rewrite (U _ D'); auto|eauto].
      + exists b; split; auto. intros e' b' D' [<-|K]; [exfalso; eauto|eauto]. }
  apply G; auto.
Qed.

Theorem linearizability s : reachable s -> linearizable (hist s).
Proof.
  intros RR. pose proof (safe_reachable _ RR) as I. pose proof (hist_reachable _ RR) as H.
  destruct (top_exists _ I H) as (b & C & Top).
  assert (exists v, valof s b v) as [v Vb].
  { destruct (chosen_known _ _ I C) as [->|(v & p & pv & P)]; [exists init; left|exists v; right]; eauto. }
  destruct (lin_exists _ _ _ I Vb) as [l L].
  (* every acknowledged ballot is an ancestor of b *)
  assert (Up : forall e b', done e b' -> In e (hist s) -> anc s b' b).
  { intros e b' D J. eapply descent; eauto using done_chosen, valof_known. }
  (* every completed operation sits at a done ballot *)
  assert (Co : forall o e, response o e -> In e (hist s) -> exists b', done e b' /\ at_ s b' o).
  { intros [c pv|r w] e E J; cbn in E.
    - subst. exists c. split; [left; eauto|]. cbn; split; auto.
      destruct (h_ack _ H _ _ J) as (_ & w & p & P); eauto.
    - destruct E as [b' ->]. exists b'. split; [right; eauto|exact J]. }
  exists l. split; [apply (lin_legal _ _ _ _ I H L)|].
  split; [apply (lin_nodup _ _ _ _ I H L)|].
  split; [|split].
  - intros o e E J. apply (lin_in _ _ _ _ _ I L).
    destruct (Co _ _ E J) as (b' & D & At). eauto.
  - intros o J. apply (lin_in _ _ _ _ _ I L) in J. destruct J as (b' & _ & At).
    destruct o as [c pv|r w]; cbn in *.
    + destruct At as (-> & ? & p & P). exists (Inv b'); split; auto. apply (i_prop _ I _ _ _ _ P).
    + exists (RInv r); split; auto. eapply (h_rack _ H); eauto.
  - intros o1 o2 e1 e2 E1 E2 K J2.
    destruct (before_in _ _ _ K) as [_ J1].
    destruct (Co _ _ E1 J1) as (b1 & D1 & At1).
    pose proof (Up _ _ D1 J1) as Up1.
    apply (lin_in _ _ _ _ _ I L) in J2. destruct J2 as (b2 & Up2 & At2).
    destruct o2 as [c2 pv2|r2 w2]; cbn in E2; subst e2.
    + destruct At2 as [-> X].
      pose proof (h_write _ H _ _ _ D1 K) as NA.
      destruct (anc_linear _ _ _ _ I Up1 Up2) as [Y|Y]; [|tauto].
      pose proof (anc_le _ _ _ I Y).
      destruct (ballot_dec b1 b2) as [->|]; [exfalso; apply NA; constructor|].
      eapply (lin_order _ _ _ _ b1 b2); eauto; [cbn; auto|order].
    + cbn in At2. destruct (h_read _ H _ _ _ _ _ D1 K At2) as [Le K'].
      destruct (ballot_dec b1 b2) as [<-|Ne]; [|eapply (lin_order _ _ _ _ b1 b2); eauto; order].
      eapply lin_order_read; eauto.
      intros r1 w1 ->. cbn in E1. destruct E1 as [b1' ->].
      destruct D1 as [[? E]|(? & ? & E)]; inversion E; subst; auto.
Qed.


End Linearizable.
