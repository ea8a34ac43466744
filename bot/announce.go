package bot

import (
	"context"
	"strings"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
)

// maxConnections is the most deliveries that Telegram makes at the same time (Bot API, setWebhook).
const maxConnections = 100

// KeepWebhook tells Telegram where to deliver updates, and sees to it that it stays so, until ctx ends. Of several
// processes one does that. When it ends the webhook stays: others may receive, and Telegram keeps updates for a day. It
// returns ctx's error.
func (b *Bot) KeepWebhook(ctx context.Context) error {
	b.setCommands(ctx)
	failures, set, lastError := 0, false, 0
	for ctx.Err() == nil {
		if err := b.lookAfterHook(ctx, &set, &lastError); err != nil && ctx.Err() == nil {
			failures++
			pause := b.rules.pause(failures)
			if slow, ok := retryAfter(err); ok {
				pause = max(pause, slow)
			}
			b.log.Warn("setting the webhook", "error", err, "again_in", pause)
			_ = b.cfg.Wait(ctx, pause) // the loop looks at ctx
			continue
		}
		failures = 0
		_ = b.cfg.Wait(ctx, b.rules.Check)
	}
	return ctx.Err()
}

// lookAfterHook sets the webhook the first time, and whenever Telegram has another one.
func (b *Bot) lookAfterHook(ctx context.Context, set *bool, lastError *int) error {
	if !*set {
		if err := b.setWebhook(ctx); err != nil {
			return err
		}
		*set = true
		b.log.Info("Telegram delivers updates by webhook")
		return nil
	}
	var info *models.WebhookInfo
	err := b.call(ctx, "getWebhookInfo", func(ctx context.Context) (err error) {
		info, err = b.api.GetWebhookInfo(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if info.LastErrorDate > *lastError {
		*lastError = info.LastErrorDate
		b.log.Warn("Telegram could not deliver", "message", info.LastErrorMessage, "at", date(info.LastErrorDate), "waiting", info.PendingUpdateCount)
	}
	if strings.EqualFold(strings.TrimSuffix(info.URL, "/"), strings.TrimSuffix(b.cfg.Webhook.URL, "/")) {
		return nil // Telegram may write it in its own way
	}
	b.log.Warn("somebody else took the webhook away: does another process use this bot?")
	*set = false
	return b.lookAfterHook(ctx, set, lastError)
}

func (b *Bot) setWebhook(ctx context.Context) error {
	return b.call(ctx, "setWebhook", func(ctx context.Context) error {
		_, err := b.api.SetWebhook(ctx, &bot.SetWebhookParams{
			URL: b.cfg.Webhook.URL, SecretToken: b.cfg.Webhook.Secret, AllowedUpdates: allowed(),
			MaxConnections: min(b.rules.Workers, maxConnections),
		})
		return err
	})
}

// setCommands tells Telegram the bot's menu. What fails is logged: taking updates matters more.
func (b *Bot) setCommands(ctx context.Context) {
	for _, menu := range b.cfg.Commands {
		params := &bot.SetMyCommandsParams{LanguageCode: menu.Language}
		for _, c := range menu.Commands {
			params.Commands = append(params.Commands, models.BotCommand{Command: c.Name, Description: c.Description})
		}
		err := b.call(ctx, "setMyCommands", func(ctx context.Context) error {
			_, err := b.api.SetMyCommands(ctx, params)
			return err
		})
		if err != nil && ctx.Err() == nil {
			b.log.Warn("setting the bot's commands", "language", menu.Language, "error", err)
		}
	}
}
