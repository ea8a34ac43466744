package simulator

import "github.com/usherbot/usher/bot/simulator/markup"

// The shapes of the Bot API that this server speaks, by the names of its
// documentation. Times are Unix seconds.

type wireUser struct {
	ID           int64  `json:"id"`
	IsBot        bool   `json:"is_bot"`
	FirstName    string `json:"first_name"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`

	CanJoinGroups   *bool `json:"can_join_groups,omitempty"`
	CanReadAll      *bool `json:"can_read_all_group_messages,omitempty"`
	SupportsInline  *bool `json:"supports_inline_queries,omitempty"`
	HasMainWebApp   *bool `json:"has_main_web_app,omitempty"`
	CanConnectToBiz *bool `json:"can_connect_to_business,omitempty"`
}

type wireChat struct {
	ID        int64  `json:"id"`
	Type      string `json:"type"`
	Title     string `json:"title,omitempty"`
	Username  string `json:"username,omitempty"`
	FirstName string `json:"first_name,omitempty"`

	AccentColorID    int `json:"accent_color_id,omitempty"`
	MaxReactionCount int `json:"max_reaction_count,omitempty"`
}

type wireMessage struct {
	MessageID       int             `json:"message_id"`
	ThreadID        int             `json:"message_thread_id,omitempty"`
	From            *wireUser       `json:"from,omitempty"`
	SenderChat      *wireChat       `json:"sender_chat,omitempty"`
	Chat            wireChat        `json:"chat"`
	Date            int64           `json:"date"`
	EditDate        int64           `json:"edit_date,omitempty"`
	ForwardOrigin   *wireOrigin     `json:"forward_origin,omitempty"`
	ReplyTo         *wireMessage    `json:"reply_to_message,omitempty"`
	Protected       bool            `json:"has_protected_content,omitempty"`
	Text            string          `json:"text,omitempty"`
	Entities        []markup.Entity `json:"entities,omitempty"`
	Photo           []wirePhotoSize `json:"photo,omitempty"`
	Document        *wireDocument   `json:"document,omitempty"`
	Sticker         *wireSticker    `json:"sticker,omitempty"`
	Caption         string          `json:"caption,omitempty"`
	CaptionEntities []markup.Entity `json:"caption_entities,omitempty"`
	ReplyMarkup     *wireKeyboard   `json:"reply_markup,omitempty"`

	NewChatMembers []wireUser `json:"new_chat_members,omitempty"`
	LeftChatMember *wireUser  `json:"left_chat_member,omitempty"`
	MigrateTo      int64      `json:"migrate_to_chat_id,omitempty"`
	MigrateFrom    int64      `json:"migrate_from_chat_id,omitempty"`
}

type wireOrigin struct {
	Type       string    `json:"type"`
	Date       int64     `json:"date"`
	SenderUser *wireUser `json:"sender_user,omitempty"`
}

type wirePhotoSize struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	FileSize     int    `json:"file_size,omitempty"`
}

type wireDocument struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	FileName     string `json:"file_name,omitempty"`
	MimeType     string `json:"mime_type,omitempty"`
	FileSize     int    `json:"file_size,omitempty"`
}

type wireSticker struct {
	FileID       string `json:"file_id"`
	FileUniqueID string `json:"file_unique_id"`
	Type         string `json:"type"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	IsAnimated   bool   `json:"is_animated"`
	IsVideo      bool   `json:"is_video"`
	Emoji        string `json:"emoji,omitempty"`
}

type wireKeyboard struct {
	Rows [][]wireButton `json:"inline_keyboard"`
}

type wireButton struct {
	Text         string    `json:"text"`
	Style        string    `json:"style,omitempty"`
	URL          string    `json:"url,omitempty"`
	CallbackData string    `json:"callback_data,omitempty"`
	SwitchInline *string   `json:"switch_inline_query,omitempty"`
	SwitchHere   *string   `json:"switch_inline_query_current_chat,omitempty"`
	CopyText     *wireCopy `json:"copy_text,omitempty"`
	Disabled     *struct{} `json:"disabled,omitempty"`
}

type wireCopy struct {
	Text string `json:"text"`
}

type wireUpdate struct {
	ID                int64             `json:"update_id"`
	Message           *wireMessage      `json:"message,omitempty"`
	EditedMessage     *wireMessage      `json:"edited_message,omitempty"`
	ChannelPost       *wireMessage      `json:"channel_post,omitempty"`
	EditedChannelPost *wireMessage      `json:"edited_channel_post,omitempty"`
	CallbackQuery     *wireQuery        `json:"callback_query,omitempty"`
	MyChatMember      *wireMemberUpdate `json:"my_chat_member,omitempty"`
}

type wireQuery struct {
	ID           string       `json:"id"`
	From         wireUser     `json:"from"`
	Message      *wireMessage `json:"message,omitempty"`
	ChatInstance string       `json:"chat_instance"`
	Data         string       `json:"data,omitempty"`
}

type wireMember struct {
	Status    string   `json:"status"`
	User      wireUser `json:"user"`
	UntilDate *int64   `json:"until_date,omitempty"`

	IsAnonymous     *bool `json:"is_anonymous,omitempty"`
	CanPostMessages *bool `json:"can_post_messages,omitempty"`
	CanEditMessages *bool `json:"can_edit_messages,omitempty"`
}

type wireMemberUpdate struct {
	Chat wireChat   `json:"chat"`
	From wireUser   `json:"from"`
	Date int64      `json:"date"`
	Old  wireMember `json:"old_chat_member"`
	New  wireMember `json:"new_chat_member"`
}
