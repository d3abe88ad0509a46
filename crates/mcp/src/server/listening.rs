//! Subscriptions as the protocol has them: `resources/subscribe` of the older era,
//! `subscriptions/listen` of the newer one.

use std::sync::Arc;

use kite_wire::request::Caller;
use rmcp::{
    ErrorData, RoleServer,
    model::SubscriptionFilter,
    service::{RequestContext, SubscriptionContext},
};

use super::{Server, reading::parsed};
use crate::{
    resources::Uri,
    subscriptions::{Follower, SUBSCRIPTIONS_MAX, Telling},
};

impl Server {
    pub(super) fn subscribe_to(
        &self,
        uri: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let resource = parsed(&uri)?;
        let caller = self.caller(context);
        self.rouse_daemon(&caller);
        let begin = || Telling {
            feed: self.common.feed.clone(),
            daemon: Arc::clone(&self.daemon),
            peer: context.peer.clone(),
            stopping: self.common.stopping.clone(),
        };
        self.subscriptions
            .subscribe((uri, resource), caller, begin)
            .map_err(|why| ErrorData::invalid_params(why, None))
    }

    /// What of a wish can be fulfilled: known resources, each once, as many as there may be. No
    /// list of this server changes while it runs, so nothing is promised of lists.
    pub(super) fn accepted(requested: &SubscriptionFilter) -> SubscriptionFilter {
        let mut uris: Vec<String> = Vec::new();
        for uri in requested.resource_subscriptions.iter().flatten() {
            if uris.len() < SUBSCRIPTIONS_MAX && !uris.contains(uri) && Uri::parse(uri).is_ok() {
                uris.push(uri.clone());
            }
        }
        let mut accepted = SubscriptionFilter::new();
        accepted.resource_subscriptions = requested.resource_subscriptions.as_ref().map(|_| uris);
        accepted
    }

    /// Tells of changes until the client cancels, is gone, or this process ends.
    pub(super) async fn tell(&self, context: SubscriptionContext) {
        let _last_word = self.common.listening.token();
        let caller = self.caller(context.request_context());
        let mut follower = Follower::new(&self.common.feed, Arc::clone(&self.daemon));
        let uris = context.accepted().resource_subscriptions.clone();
        for uri in uris.unwrap_or_default() {
            if let Ok(resource) = Uri::parse(&uri) {
                follower.add(uri, resource, caller.clone());
            }
        }
        if !follower.is_idle() {
            self.rouse_daemon(&caller);
        }
        loop {
            let uri = tokio::select! {
                () = context.cancelled() => return,
                () = self.common.stopping.cancelled() => return,
                uri = follower.next() => uri,
            };
            // A client that does not read must not keep this process from ending.
            let sent = tokio::select! {
                () = self.common.stopping.cancelled() => return,
                sent = context.sink().notify_resource_updated(uri) => sent,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    fn rouse_daemon(&self, caller: &Caller) {
        let (daemon, caller) = (Arc::clone(&self.daemon), caller.clone());
        tokio::spawn(async move { daemon.rouse(&caller).await });
    }
}
