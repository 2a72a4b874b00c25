/* Settings of a configuration, and members of any object. */
#include "json.h"

#include <math.h>

const bw_json *bw_json_get(const bw_json *object, const char *name) {
    const bw_json *found = NULL;
    if (object != NULL && object->kind == BW_JSON_OBJECT) {
        for (const bw_json *member = object->first; member != NULL; member = member->next) {
            found = bw_text_is(member->name, name) ? member : found;
        }
    }
    return found;
}

const bw_json *bw_json_at(const bw_json *array, size_t place) {
    if (array == NULL || array->kind != BW_JSON_ARRAY) {
        return NULL;
    }
    const bw_json *element = array->first;
    for (; element != NULL && place > 0; place--) {
        element = element->next;
    }
    return element;
}

static const bw_error *wrong(const char *name, const char *expected) {
    return bw_invalid_config("`%s` must be %s", name, expected);
}

static const bw_error *find(const bw_json *config, const char *name, bw_json_kind kind, const char *expected, const bw_json **value) {
    *value = bw_json_get(config, name);
    if (*value == NULL) {
        return bw_invalid_config("the setting `%s` is missing: it must be %s", name, expected);
    }
    return (*value)->kind == kind ? NULL : wrong(name, expected);
}

const bw_error *bw_config_number(const bw_json *config, const char *name, double *value) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_NUMBER, "a number", &found));
    *value = found->number;
    return NULL;
}

const bw_error *bw_config_whole(const bw_json *config, const char *name, int64_t *value) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_NUMBER, "a whole number", &found));
    /* 2^53: past it neighbouring whole numbers are one double. */
    if (found->number != floor(found->number) || fabs(found->number) > 9007199254740992.0) {
        return wrong(name, "a whole number of at most 2^53");
    }
    *value = (int64_t)found->number;
    return NULL;
}

const bw_error *bw_config_boolean(const bw_json *config, const char *name, bool *value) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_BOOLEAN, "true or false", &found));
    *value = found->boolean;
    return NULL;
}

const bw_error *bw_config_text(const bw_json *config, const char *name, bw_text *value) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_TEXT, "a text", &found));
    *value = found->text;
    return NULL;
}

const bw_error *bw_config_numbers(const bw_json *config, const char *name, bw_numbers *values) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_ARRAY, "a list of numbers", &found));
    double *numbers = bw_alloc_numbers(found->count);
    size_t place = 0;
    for (const bw_json *element = found->first; element != NULL; element = element->next) {
        if (element->kind != BW_JSON_NUMBER) {
            return wrong(name, "a list of numbers only");
        }
        numbers[place++] = element->number;
    }
    *values = (bw_numbers){numbers, place};
    return NULL;
}

const bw_error *bw_config_texts(const bw_json *config, const char *name, bw_texts *values) {
    const bw_json *found;
    BW_TRY(find(config, name, BW_JSON_ARRAY, "a list of texts", &found));
    bw_text *texts = bw_alloc_array(found->count, sizeof *texts);
    size_t place = 0;
    for (const bw_json *element = found->first; element != NULL; element = element->next) {
        if (element->kind != BW_JSON_TEXT) {
            return wrong(name, "a list of texts only");
        }
        texts[place++] = element->text;
    }
    *values = (bw_texts){texts, place};
    return NULL;
}

const bw_error *bw_config_choice(const bw_json *config, const char *name, const char *const *words, int *value) {
    bw_text text;
    BW_TRY(bw_config_text(config, name, &text));
    for (int place = 0; words[place] != NULL; place++) {
        if (bw_text_is(text, words[place])) {
            *value = place;
            return NULL;
        }
    }
    return bw_invalid_config("`%s` is `%s`, which is none of its words", name, text.data);
}
